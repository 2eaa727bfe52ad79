#!/usr/bin/env bash
# Usage: deploy.sh staging|prod|beta|mark|shane|dom|all
set -e
REGION="eu-west-1"
REGISTRY="123456789012.dkr.ecr.$REGION.amazonaws.com"

declare -A REPOS
REPOS[staging]="staging-coach-app"
REPOS[prod]="my-personal-coach-app"
REPOS[mark]="mark-coach-app"
REPOS[shane]="shane-coach-app"
REPOS[dom]="dom-coach-app"

case "$1" in
    staging|prod|mark|shane|dom) TARGETS=("$1") ;;
    beta) TARGETS=(mark shane dom) ;;
    all) TARGETS=(staging prod mark shane dom) ;;
    *) echo "Unknown target: $1"; exit 1 ;;
esac

VERSION="v$(cat VERSION)"
docker build --build-arg VERSION="$VERSION" -t coach .
for TARGET in "${TARGETS[@]}"; do
    for TAG in "$VERSION" latest; do
        docker tag coach "$REGISTRY/${REPOS[$TARGET]}:$TAG"
        docker push "$REGISTRY/${REPOS[$TARGET]}:$TAG"
    done
done
