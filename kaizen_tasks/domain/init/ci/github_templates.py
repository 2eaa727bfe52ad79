"""The templates of GitHub workflows, whose values `github` fills in."""

from __future__ import annotations

from kaizen_tasks.domain.init.ci.yaml_text import YamlTemplate

DEFAULTS = YamlTemplate("""
defaults:
  run:
    working-directory: %{folder}
""")

GATE = YamlTemplate("""\
    environment: # its reviewers approve
      name: %{name}
      deployment: false # the task shows those of the app's environments
""")

INSTALL_STEPS = """\
      - uses: %{python}
        with:
          python-version: "3.13"
      - name: Install the tasks
        run: |
%{install}
"""

COMMITTER_STEP = """\
      - name: Configure the committer
        run: |
          git config user.name 'github-actions[bot]'
          git config user.email '41898282+github-actions[bot]@users.noreply.github.com'
"""

NEXT_RELEASE_STEP = """\
      - name: Find what there is to release
        id: next
        run: |
          release=$(inv next-release)
          echo "release=$release" >> "$GITHUB_OUTPUT"
"""

RELEASE_CONDITION = """\
        # Started by hand or again, it finishes what was begun.
        if: steps.next.outputs.release != '' || github.event_name == 'workflow_dispatch' || github.run_attempt > 1
"""

CHECK_WORKFLOW = YamlTemplate(f"""\
# Written by `kaizen init --ci github`%{{place}}: shows the problems of the changelog next to its lines.
name: Changelog%{{title}}

on:
  pull_request:
    paths: [%{{paths}}]

permissions: {{}}
%{{defaults}}\

concurrency:
  group: %{{prefix}}changelog-${{{{ github.ref }}}}
  cancel-in-progress: true

jobs:
  changelog:
    name: changelog.check
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    permissions:
      contents: read
      actions: read # with the next one: to show the problems as code scanning results
      security-events: write
    steps:
      - uses: %{{checkout}}
        with:
          fetch-depth: 0 # the check compares with tags
          persist-credentials: false
{INSTALL_STEPS}\
      - name: List the problems
        id: check
        run: inv changelog.check
      - name: Collect the problems for code scanning
        if: ${{{{ !cancelled() && steps.check.outcome != 'skipped' }}}}
        run: inv changelog.check --sarif > changelog.sarif || test "$?" -eq 3
      - uses: %{{sarif}}
        if: ${{{{ !cancelled() && github.event.pull_request.head.repo.full_name == github.repository }}}}
        continue-on-error: true # a private repository may be without code scanning
        with:
          sarif_file: %{{sarif_file}}
""")

RELEASE_WORKFLOW_HEADER = YamlTemplate("""\
# Written by `kaizen init --ci github`%{place}. Each job runs one task, as a person can.
#
# Set up once by hand:
# - the role that `inv setup --print-iam --github %{repository}` describes, and its ARN in the
#   repository variable %{role_variable}; without the variable nothing is released
%{manual}name: Release%{title}

on:
  push:
    branches: [%{branch}]
    paths: %{paths}
  workflow_dispatch:

permissions: {}
%{defaults}
jobs:
""")

PUSHING_COMMENT = YamlTemplate("""\
# - a rule that protects %{branch} must let GitHub Actions bypass it, since the job pushes releases. Where that is not
#   wanted, delete this file and run `kaizen init --ci github --propose`: then releases are pull requests
""")

PROPOSAL_WORKFLOW = YamlTemplate(f"""\
# Written by `kaizen init --ci github --propose`%{{place}}.
# Keeps a pull request with the next release, from what is noted.
#
# Set up once by hand: in Settings → Actions → General, allow GitHub Actions to create pull requests. Other workflows
# do not run on a pull request that the token of a workflow has opened; with the secret KAIZEN_TOKEN, that of an app
# or of a person that may write contents and pull requests, they do.
name: Propose%{{title}}

on:
  push:
    branches: [%{{branch}}]
    paths: [%{{paths}}]
  workflow_call: # by the workflow Release%{{title}}, for what was noted while it ran
    secrets:
      KAIZEN_TOKEN:
        required: false
  workflow_dispatch:

permissions: {{}}
%{{defaults}}\

concurrency:
  group: kaizen-%{{prefix}}propose
  cancel-in-progress: false

jobs:
  propose:
    name: propose
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    permissions:
      contents: write # the branch %{{proposal_branch}}
      pull-requests: write
    steps:
      - uses: %{{checkout}}
        with:
          ref: %{{branch}}
          fetch-depth: 0 # a release needs the tags and the whole history
          persist-credentials: true # the branch is pushed
          token: ${{{{ secrets.KAIZEN_TOKEN || github.token }}}}
{INSTALL_STEPS}\
{COMMITTER_STEP}\
      - name: Propose the next release
        env:
          GITHUB_TOKEN: ${{{{ secrets.KAIZEN_TOKEN || github.token }}}}
        run: inv propose
""")

PROPOSAL_JOB = YamlTemplate("""\

  propose:
    name: propose
    needs: [release]
    if: ${{ !cancelled() && needs.release.result != 'skipped' }}
    permissions:
      contents: write
      pull-requests: write
    uses: ./%{proposal_workflow}
    secrets:
      KAIZEN_TOKEN: ${{ secrets.KAIZEN_TOKEN }}
""")

LIBRARY_RELEASE_WORKFLOW = YamlTemplate(f"""\
# Written by `kaizen init --ci github --propose`%{{place}}: tags and announces what a merged proposal releases.
name: Release%{{title}}

on:
  push:
    branches: [%{{branch}}]
    paths: [%{{version_file}}] # which a merged proposal changes
  workflow_dispatch:

permissions: {{}}
%{{defaults}}\

concurrency:
  group: kaizen-%{{prefix}}release
  cancel-in-progress: false
  queue: max # releases that wait are not cancelled by newer ones

jobs:
  release:
    name: cut
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    permissions:
      contents: write # the tag and its release notes
    steps:
      - uses: %{{checkout}}
        with:
          ref: %{{branch}}
          fetch-depth: 0 # a release needs the tags and the whole history
          persist-credentials: true # the tag is pushed
{INSTALL_STEPS}\
{COMMITTER_STEP}\
{NEXT_RELEASE_STEP}\
      - name: Release what was merged
{RELEASE_CONDITION}\
        env:
          GITHUB_TOKEN: ${{{{ github.token }}}} # for release.announce
        run: inv cut --push
""")

PREPARATION_STEPS = f"""\
      - uses: %{{checkout}}
        with:
          ref: %{{branch}}
          fetch-depth: 0 # a release needs the tags and the whole history
          persist-credentials: %{{persist}}
{INSTALL_STEPS}\
      - uses: %{{credentials}}
        with:
          role-to-assume: ${{{{ %{{role}} }}}}
          aws-region: %{{region}}
"""

CACHE_STEPS = YamlTemplate("""\
      # Both for build.cache_to: a builder that writes caches, and the address and token of GitHub's.
      - uses: %{buildx}
      - uses: %{runtime}
""")

SUMMARY_STEP = """\
      - name: Show what runs where
        if: ${{ !cancelled() }}
        run: |
          {
            echo '```'
            inv status
            echo '```'
          } >> "$GITHUB_STEP_SUMMARY"
"""

RELEASE_JOB = YamlTemplate(f"""\
  release:
    name: release-%{{stage}}
    if: %{{role_condition}} != ''
    runs-on: ubuntu-24.04
    timeout-minutes: 90
%{{gate}}\
    concurrency:
      group: kaizen-%{{prefix}}%{{stage}}
      cancel-in-progress: false
      queue: max # releases that wait are not cancelled by newer ones
    permissions:
      contents: write # the release commit and its tag
      deployments: write # what is deployed is shown on the page of the environments
      id-token: write # short-lived AWS credentials
    outputs:
      release: ${{{{ steps.name.outputs.release }}}}
    steps:
{PREPARATION_STEPS}\
%{{cache}}\
{COMMITTER_STEP}\
{NEXT_RELEASE_STEP}\
      - name: Release to %{{stage}}
        id: release
{RELEASE_CONDITION}\
        env:
          GITHUB_TOKEN: ${{{{ github.token }}}} # for the deployments, and for release.announce
        run: inv release-%{{word}}%{{yes}}
      - name: Pass the version to the other jobs
        id: name
        if: steps.release.outcome == 'success'
        run: echo "release=v$(cat VERSION)" >> "$GITHUB_OUTPUT"
{SUMMARY_STEP}""")

PROMOTION_JOB = YamlTemplate(f"""\

  %{{job}}:
    name: promote-%{{stage}}
    needs: [%{{needs}}]
    if: needs.release.outputs.release != ''
    runs-on: ubuntu-24.04
    timeout-minutes: 90
%{{gate}}%{{shards}}\
    concurrency:
      group: kaizen-%{{prefix}}%{{stage}}%{{alone}}
      cancel-in-progress: false
      queue: max
    permissions:
      contents: read
      deployments: write
      id-token: write # short-lived AWS credentials
    steps:
{PREPARATION_STEPS}\
      - name: Promote to %{{stage}}
        env:
          GITHUB_TOKEN: ${{{{ github.token }}}} # for the deployments
          RELEASE: ${{{{ needs.release.outputs.release }}}} # the approved release, even if there is a newer one
%{{shard}}\
        run: inv promote-%{{word}} --release "$RELEASE"%{{options}}
{SUMMARY_STEP}""")

DASHBOARD_JOB = YamlTemplate("""\

  dashboard-%{slug}:
    name: dashboard after %{stage}
    needs: [%{job}]
    if: ${{ !cancelled() && needs.%{job}.result != 'skipped' }}
    permissions:
      contents: read
      id-token: write
      pages: write
    uses: ./%{dashboard_workflow}
""")

DASHBOARD_WORKFLOW = YamlTemplate(f"""\
# Written by `kaizen init --ci github --dashboard`%{{place}}.
# Publishes the page of `inv dashboard` on GitHub Pages: after each stage, and four times a day.
#
# Set up once by hand: in Settings → Pages, the source GitHub Actions. Everybody can read the page, even that of a
# private repository, unless you make the site private, which needs GitHub Enterprise Cloud:
# https://docs.github.com/en/enterprise-cloud@latest/pages/getting-started-with-github-pages/changing-the-visibility-of-your-github-pages-site
name: Dashboard%{{title}}

on:
  schedule:
    - cron: "17 */6 * * *"
  workflow_call: # by the workflow Release%{{title}}
  workflow_dispatch:

permissions: {{}}
%{{defaults}}\

concurrency:
  group: kaizen-%{{prefix}}dashboard
  cancel-in-progress: false
  queue: max

jobs:
  write:
    name: dashboard
    if: %{{role_condition}} != ''
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    permissions:
      contents: read
      id-token: write # short-lived AWS credentials
    steps:
{PREPARATION_STEPS}\
      - name: Write the page
        run: |
          mkdir -p "$RUNNER_TEMP/site"
          inv dashboard --out "$RUNNER_TEMP/site/index.html"
      - uses: %{{pages_artifact}}
        with:
          path: ${{{{ runner.temp }}}}/site

  publish:
    name: publish
    needs: [write]
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    permissions:
      pages: write
      id-token: write # proves to GitHub Pages which workflow this is
    environment:
      name: github-pages
      url: ${{{{ steps.deployment.outputs.page_url }}}}
    steps:
      - uses: %{{pages_deployment}}
        id: deployment
""")
