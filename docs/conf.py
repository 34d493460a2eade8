"""The site of these pages: `make docs`.

Its sources begin at the root of the repository, so that a link from a page to a notebook or back is the same path
here, on a code host, and in an editor. The build needs no network.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "site"))

# Notebooks run with the settings that a newcomer has, and none of whoever builds the site.
for _name in [name for name in os.environ if name.startswith("DJ_")]:
    del os.environ[_name]
os.environ["DJ_IGNORE_CONFIG_FILE"] = "1"

project = "djupyter"
copyright = "The djupyter developers"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
extensions += ["contents", "definitions", "docstrings", "names"]  # in site/

root_doc = "docs/index"
include_patterns = ["docs/**.md", "notebooks/*.ipynb", "*.md"]
exclude_patterns = ["README.md", "docs/_build", "src", "tests", "benchmarks", "**/.*", ".*", "demo"]

# Markdown and notebooks. What they show is made by this build, not what was saved once.
myst_enable_extensions = ["smartquotes"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE / "_build" / "notebooks")
nb_execution_in_temp = True
nb_execution_timeout = 120
nb_execution_raise_on_error = True
# A widget has no kernel here; each of ours says the same without one.
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]
nb_ipywidgets_js = {}  # pages load nothing from elsewhere

# The Python API.
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autoclass_content = "class"
napoleon_google_docstring = False
napoleon_use_rtype = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
default_role = "name"
highlight_language = "none"
suppress_warnings = [
    "misc.highlighting_failure",  # the text of an error in a notebook is no Python
    "mystnb.mime_priority",  # the live view of a diagram, an output of its own below the picture
]
pygments_style = "friendly"
pygments_dark_style = "github-dark"

html_theme = "furo"
html_title = "djupyter"
html_static_path = ["site/static"]
html_css_files = ["site.css"]
templates_path = ["site/templates"]
html_additional_pages = {"index": "to-first-page.html"}
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": True}
