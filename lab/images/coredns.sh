# shellcheck shell=bash
tools=(coredns)
recipe() {
  install -D "$(tool coredns)" root/bin/coredns
  layer_of_dir root layer.tar
  pack layer.tar -- /bin/coredns
}
