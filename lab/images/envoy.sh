# shellcheck shell=bash
tools=(envoy)
recipe() {
  local base; base=$(rootfs_with --bare libc6)
  install -D "$(tool envoy)" root/usr/local/bin/envoy
  layer_of_dir root layer.tar
  pack "$base" layer.tar -- /usr/local/bin/envoy
}
