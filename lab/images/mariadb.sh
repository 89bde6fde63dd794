# shellcheck shell=bash
# MariaDB with a fresh data directory beside it: a start copies that to its volume, which takes less than making one.
inputs=("$lab/images/mariadb-start")
recipe() {
  local base
  base=$(rootfs_with --bare mariadb-server-core mariadb-client-core dash coreutils sed \
    --run 'printf "root:x:0:0::/:/bin/sh\nmysql:x:1000:1000::/var/lib/mysql:/bin/sh\n" >/etc/passwd' \
    --run 'mariadb-install-db --no-defaults --user=root --skip-name-resolve --force --auth-root-authentication-method=normal --skip-test-db --innodb-log-file-size=16M \
      --datadir=/var/lib/mysql-fresh' \
    --run 'chown -R 1000:1000 /var/lib/mysql-fresh')
  install -D "$lab/images/mariadb-start" root/usr/local/bin/mariadb-start
  layer_of_dir root layer.tar
  pack "$base" layer.tar --user 1000 -- /usr/local/bin/mariadb-start
}
