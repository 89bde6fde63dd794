# shellcheck shell=bash
recipe() {
  local base; base=$(rootfs_with --bare redis-server)
  pack "$base" --user 1000 -- /usr/bin/redis-server --save '' --appendonly no --dir /tmp --protected-mode no
}
