# shellcheck shell=bash
tools=(cert-manager)
recipe() {
  install -D "$(tool cert-manager)" root/bin/cert-manager
  layer_of_dir root layer.tar
  pack layer.tar -- /bin/cert-manager
}
