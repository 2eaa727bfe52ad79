"""Where an app is in its repository, and what its files are called there."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.init.ci.inputs import locate_app


@pytest.mark.parametrize(
    ("subfolder", "tag", "name", "variable"),
    [
        ("", "coach-v{version}", "", "KAIZEN_ROLE_ARN"),
        ("backend", "backend-v{version}", "backend", "KAIZEN_ROLE_ARN_BACKEND"),
        ("services/backend", "v{version}", "backend", "KAIZEN_ROLE_ARN_BACKEND"),
        ("apps/admin/web", "apps-admin-web-v{version}", "apps-admin-web", "KAIZEN_ROLE_ARN_APPS_ADMIN_WEB"),
        ("web", "@acme/web@{version}", "acme-web", "KAIZEN_ROLE_ARN_ACME_WEB"),
        ("web", "v{version}-site", "site", "KAIZEN_ROLE_ARN_SITE"),
    ],
)
def test_an_app_in_a_subfolder_is_named_like_its_tags(subfolder: str, tag: str, name: str, variable: str) -> None:
    app = locate_app(subfolder, tag)

    assert (app.name, app.role_variable) == (name, variable)


def test_patterns_take_the_name_of_the_folder_literally() -> None:
    app = locate_app("apps/c++[x]", "c-v{version}")

    assert app.globs(["changelog.d/**", "VERSION"]) == (r"apps/c\+\+\[x\]/changelog.d/**", r"apps/c\+\+\[x\]/VERSION")
    assert app.path_from_top("VERSION") == "apps/c++[x]/VERSION"
    assert app.path_from_app(".github/x") == "../../.github/x"
