# Each target does its own set-up in .venv; nothing needs to be installed by hand before.

.PHONY: run test check unit docs wheel live asterisk clean

# Answer calls now, on a PBX that is played; Ctrl-C ends it.
run: .venv/.run
	@exec .venv/bin/twistd -n --pidfile= asterisk --demo

# Everything that must hold before a change lands; .ci/run calls this.
test: .venv/.dev
	@exec tools/check style types generated changelog docs unit wheel live

# The same without a real Asterisk: seconds.
check: .venv/.dev
	@exec tools/check style types generated changelog unit

unit docs wheel live: .venv/.dev
	@exec tools/check $@

# How to have a real Asterisk at hand for trying things out.
asterisk:
	@tools/asterisk --help

clean:
	tools/asterisk down
	rm -rf .venv .asterisk build dist _trial_temp* .coverage *.egg-info

.venv/.run: setup.cfg pyproject.toml tools/venv
	@tools/venv run

.venv/.dev: setup.cfg pyproject.toml tools/venv
	@tools/venv dev
