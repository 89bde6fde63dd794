# shellcheck shell=bash
# What holds a pod's namespaces: it only sleeps.
recipe() {
  install -D /usr/bin/busybox root/bin/sleep
  layer_of_dir root layer.tar
  pack layer.tar -- /bin/sleep infinity
}
