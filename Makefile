# make demo   runs the main job on the bundled samples; needs Python 3.11 or newer, make and git
# make test   checks everything: ruff, import-linter, mypy, pytest
# make lint   the first three of them
# make gpu    on a machine with an NVIDIA GPU, in the environment as it is (PYTHON=...): tests marked gpu, suite gpu;
#             how long the GPU is idle is measured where nvidia-ml-py is installed
# make constraints   renews constraints.txt with the newest versions that go together

PYTHON ?= python3
VENV ?= .venv
JOBS ?= 2
PACKAGES := pyproject.toml constraints.txt
CHECKED := not nightly and not gpu

# Like pip, uv is patient and trusts whom the system trusts.
export UV_HTTP_TIMEOUT ?= 300
export UV_SYSTEM_CERTS ?= true

# Hundreds of processes start here; each would compile what it imports where an environment forbids to keep that.
unexport PYTHONDONTWRITEBYTECODE

.DELETE_ON_ERROR:
.PHONY: demo test lint gpu constraints clean

demo: $(VENV)/.core
	$(VENV)/bin/visionkit demo

test: lint
	$(VENV)/bin/python -m pytest -n $(JOBS) --dist loadfile -m "$(CHECKED) and not alone"
	$(VENV)/bin/python -m pytest -m "$(CHECKED) and alone" $$(grep -rl --include='test_*.py' 'mark\.alone' tests | sort)

lint: $(VENV)/.all
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check --quiet
	$(VENV)/bin/lint-imports --no-cache
	$(VENV)/bin/mypy

gpu:
	$(PYTHON) -m pytest -q -m gpu -p no:cacheprovider tests/gpu
	$(PYTHON) -m benchmarks gpu

# For every platform and Python from 3.11; no address of an index goes into the file.
constraints: $(VENV)/.python
	{ echo "# What '.[all,dev]' resolves to, for every platform and Python from 3.11. Renewed by 'make constraints'."; \
		$(VENV)/bin/python -m uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
		--no-annotate --no-header --no-emit-index-url --extra all --extra dev pyproject.toml; } > $@.new
	mv $@.new $@.txt

clean:
	rm -rf $(VENV) build dist

# uv is much faster than pip; pip takes over where uv cannot (an index that only pip is set up for).
define install
	$(VENV)/bin/python -m uv pip install --python $(VENV)/bin/python --constraints constraints.txt --editable '$(WHAT)' \
		|| $(VENV)/bin/python -m pip install --constraint constraints.txt --editable '$(WHAT)'
	@$(VENV)/bin/python -c 'import cv2' 2> /dev/null || { \
		echo "OpenCV's window libraries (libGL, glib, xcb) are not on this machine: its headless build will do"; \
		$(VENV)/bin/python -m pip install --quiet --force-reinstall --no-deps --constraint constraints.txt \
			opencv-python-headless && $(VENV)/bin/python -c 'import cv2'; }
	@touch $@
endef

$(VENV)/.core: WHAT := .[track]
$(VENV)/.core: $(VENV)/.python $(PACKAGES)
	$(install)

$(VENV)/.all: WHAT := .[all,dev]
$(VENV)/.all: $(VENV)/.python $(PACKAGES)
	$(install)

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else \
		"visionkit needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; try make PYTHON=python3.12")'
	@$(PYTHON) -c 'import ensurepip' || { echo "this Python cannot make environments; on Debian: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt pip uv \
		|| echo "uv could not be had, pip will do"
	@touch $@
