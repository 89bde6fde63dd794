# shellcheck shell=bash
tools=(contour)
recipe() {
  install -D "$(tool contour)" root/bin/contour
  install -d -m 1777 root/tmp
  layer_of_dir root layer.tar
  pack layer.tar -- /bin/contour
}
