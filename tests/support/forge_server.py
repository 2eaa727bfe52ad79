"""Servers that answer as GitHub and GitLab do, of one repository, from memory.

The responses have the members that clients use, named as in https://docs.github.com/en/rest and
https://docs.gitlab.com/api/rest/.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from attrs import define, field

from tests.support.scripted_server import Reply, Request, ScriptedServer

PATH = "team/app"


def json_reply(status: int, document: object) -> Reply:
    """Return a reply with a document."""
    return Reply(status=status, body=json.dumps(document).encode(), headers={"Content-Type": "application/json"})


@define
class ForgeServer(ScriptedServer):
    """Answers from memory what no script answers.

    Attributes:
        path: the repository's path.
        token: the value of the header that opens it.
        pulls: pull or merge requests, oldest first.
        releases: releases, oldest first.
        latest: the tag that was last published as the newest.
    """

    path: str = PATH
    token: str = "t0ken"
    pulls: list[dict[str, Any]] = field(factory=list)
    releases: list[dict[str, Any]] = field(factory=list)
    latest: str = ""

    def reply(self, request: Request) -> Reply:
        """Answer a request: by the script, or from memory."""
        if self.question(request) in self.script:
            return super().reply(request)
        self.requests.append(request)
        if not self.is_allowed(request):
            return json_reply(401, {"message": "Bad credentials"})
        parts = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        content = json.loads(request.body) if request.body else {}
        return self.answer(request.method, parts.path, query, content)

    def is_allowed(self, request: Request) -> bool:
        """Return whether a request has the token."""
        raise NotImplementedError

    def answer(self, method: str, path: str, query: dict[str, str], content: dict[str, Any]) -> Reply:
        """Answer a request that is allowed."""
        raise NotImplementedError


@define
class GitHubServer(ForgeServer):
    """Answers as GitHub does."""

    def is_allowed(self, request: Request) -> bool:
        return request.headers.get("Authorization") == f"Bearer {self.token}"

    def answer(self, method: str, path: str, query: dict[str, str], content: dict[str, Any]) -> Reply:
        root = f"/repos/{self.path}"
        match (method, path.removeprefix(root).strip("/").split("/") if path.startswith(root) else []):
            case "GET", ["pulls"]:
                _, _, head = query["head"].partition(":")
                reply = json_reply(
                    200, [pull for pull in self.pulls if _matches(pull, query["state"], head, query["base"])]
                )
            case "POST", ["pulls"]:
                reply = self._open(content)
            case "PATCH", ["pulls", number]:
                reply = _change(self.pulls, "number", int(number), content)
            case "GET", ["releases", "tags", tag]:
                published = [each for each in self.releases if each["tag_name"] == unquote(tag) and not each["draft"]]
                reply = json_reply(200, published[0]) if published else json_reply(404, {"message": "Not Found"})
            case "GET", ["releases"]:
                reply = json_reply(200, self.releases[::-1])
            case "POST", ["releases"]:
                reply = self._publish(content)
            case "PATCH", ["releases", number]:
                self._note_latest(content)
                reply = _change(self.releases, "id", int(number), content)
            case _:
                reply = json_reply(404, {"message": "Not Found", "documentation_url": "https://docs.github.com/rest"})
        return reply

    def _open(self, content: dict[str, Any]) -> Reply:
        if any(_matches(pull, "open", content["head"], content["base"]) for pull in self.pulls):
            message = f"A pull request already exists for team:{content['head']}."
            return json_reply(422, {"message": "Validation Failed", "errors": [{"code": "custom", "message": message}]})
        number = len(self.pulls) + 1
        pull = {
            "number": number,
            "state": "open",
            "html_url": f"https://github.com/{self.path}/pull/{number}",
            "head": {"ref": content["head"]},
            "base": {"ref": content["base"]},
            "title": content["title"],
            "body": content["body"] or None,
        }
        self.pulls.append(pull)
        return json_reply(201, pull)

    def _publish(self, content: dict[str, Any]) -> Reply:
        if any(each["tag_name"] == content["tag_name"] and not each["draft"] for each in self.releases):
            error = {"resource": "Release", "code": "already_exists", "field": "tag_name"}
            return json_reply(422, {"message": "Validation Failed", "errors": [error]})
        self._note_latest(content)
        self.releases.append({"id": len(self.releases) + 1, **content})
        return json_reply(201, self.releases[-1])

    def _note_latest(self, content: dict[str, Any]) -> None:
        if content["make_latest"] == "true":
            self.latest = content["tag_name"]


@define
class GitLabServer(ForgeServer):
    """Answers as GitLab does."""

    def is_allowed(self, request: Request) -> bool:
        return self.token in {request.headers.get("Private-Token"), request.headers.get("Job-Token")}

    def answer(self, method: str, path: str, query: dict[str, str], content: dict[str, Any]) -> Reply:
        root = f"/projects/{quote(self.path, safe='')}"
        match (method, path.removeprefix(root).strip("/").split("/") if path.startswith(root) else []):
            case "GET", ["merge_requests"]:
                source, target = query["source_branch"], query["target_branch"]
                reply = json_reply(200, [each for each in self.pulls if _matches(each, query["state"], source, target)])
            case "POST", ["merge_requests"]:
                reply = self._open(content)
            case "PUT", ["merge_requests", number]:
                reply = _change(self.pulls, "iid", int(number), content)
            case "GET", ["releases", tag]:
                published = [each for each in self.releases if each["tag_name"] == unquote(tag)]
                reply = json_reply(200, published[0]) if published else json_reply(404, {"message": "404 Not Found"})
            case "POST", ["releases"]:
                reply = self._publish(content)
            case "PUT", ["releases", tag]:
                reply = _change(self.releases, "tag_name", unquote(tag), content)
            case _:
                reply = json_reply(404, {"error": "404 Not Found"})
        return reply

    def _open(self, content: dict[str, Any]) -> Reply:
        source, target = content["source_branch"], content["target_branch"]
        if any(_matches(each, "opened", source, target) for each in self.pulls):
            message = "Another open merge request already exists for this source branch: !1"
            return json_reply(409, {"message": [message]})
        number = len(self.pulls) + 1
        request = {
            **content,
            "iid": number,
            "state": "opened",
            "head": {"ref": source},
            "base": {"ref": target},
            "web_url": f"https://gitlab.com/{self.path}/-/merge_requests/{number}",
        }
        self.pulls.append(request)
        return json_reply(201, request)

    def _publish(self, content: dict[str, Any]) -> Reply:
        if any(each["tag_name"] == content["tag_name"] for each in self.releases):
            return json_reply(409, {"message": "Release already exists"})
        self.releases.append(content)
        return json_reply(201, content)


def _matches(pull: dict[str, Any], state: str, source: str, target: str) -> bool:
    return (pull["state"], pull["head"]["ref"], pull["base"]["ref"]) == (state, source, target)


def _change(documents: list[dict[str, Any]], name: str, value: object, changes: dict[str, Any]) -> Reply:
    for document in documents:
        if document[name] == value:
            document.update(changes)
            return json_reply(200, document)
    return json_reply(404, {"message": "Not Found"})
