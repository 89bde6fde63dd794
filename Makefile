# The commands of the README. Each does all its set-up itself.
.PHONY: demo demo-down test lives chaos bench bench-lab kubeconfig crds lab-up lab-down figures

# From nothing to a working tenant on a real one-node Kubernetes.
demo:
	@lab/demo

# Leaves nothing on this machine but installed packages and the cache.
demo-down lab-down:
	@lab/lab down

# Every test there is.
test:
	@tests/run

# Simulated lives of tenants. LIVES=100000: so many; SEED=7: that one; SABOTAGE=lock: with that guard switched off, which must fail.
lives:
	@LIVES=$(LIVES) SEED=$(SEED) SABOTAGE=$(SABOTAGE) tests/lives/run

# Faults in the lab while tenants come and go: every one of them.
chaos:
	@tests/run chaos

# What the operator costs with thousands of tenants. BENCH=settle,rest: only that; sizes: see tests/scale/run.
bench:
	@tests/scale/run

# How long a tenant takes from apply to Ready in the lab. SPEED_RUNS=1 SPEED_CROWD=3: quicker, see tests/speed/run.
bench-lab:
	@tests/run speed

kubeconfig:
	@lab/lab kubeconfig

lab-up:
	@lab/setup
	@lab/build
	@lab/lab up

# Writes crds/ and the chart's copy anew after a change of src/api.
crds:
	@UPDATE_CRDS=1 cargo test --quiet --test crds

# Lines of code by folder, the longest file and the longest function.
figures:
	@lab/figures
