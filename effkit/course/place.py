"""Where the course lives: the forge's URL, and the links and install line built from it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path


def project_url(root: str | Path) -> str:
    """The Repository of ``[project.urls]``: of the checkout ``root``, else of the installed package.

    Raises LookupError when neither states one.
    """
    import tomllib

    file = Path(root) / "pyproject.toml"
    if file.is_file():
        urls = tomllib.loads(file.read_text(encoding="utf-8")).get("project", {}).get("urls", {})
    else:
        urls = _installed_urls()
    if "Repository" not in urls:
        raise LookupError(f"no project URL: {file} has no Repository in [project.urls]; add it or pass url=")
    return urls["Repository"].rstrip("/").removesuffix(".git")


def _installed_urls() -> dict[str, str]:
    try:
        lines = metadata("effkit").get_all("Project-URL") or []
    except PackageNotFoundError:
        lines = []
    return dict(tuple(line.split(", ", 1)) for line in lines)


def badge(url: str, lesson_id: str) -> str:
    """The "Open in Colab" badge of a lesson as markdown; "" for a forge that Colab cannot open (it opens GitHub's).

    >>> badge("https://example.org/a/b", "03_absmax_int8")
    ''
    """
    owner_and_name = url.removeprefix("https://github.com/")
    if owner_and_name == url:
        return ""
    link = f"https://colab.research.google.com/github/{owner_and_name}/blob/main/notebooks/{lesson_id}.ipynb"
    return f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({link})"


def install_guard(url: str) -> str:
    """The first lines of a setup cell: install effkit when it is missing, and only then."""
    return "\n".join([
        "try:",
        "    import effkit",
        "except ModuleNotFoundError:  # a fresh machine, such as Colab's: install the course kit once",
        "    import subprocess",
        "    import sys",
        "",
        f'    kit = "effkit @ git+{url}"',
        '    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", kit], check=True)',
    ])
