# shellcheck shell=bash
# The stand-in for a bench: Debian's Python, gunicorn and nginx, and lab/standin laid out as in frappe_docker's image.
inputs=("$lab/standin/apps" "$lab/standin/image" "$lab/standin/make-bench")
recipe() {
  local base
  base=$(rootfs_with --run 'useradd -u 1000 -m -s /bin/bash frappe' \
    python3 gunicorn python3-pymysql python3-cryptography python3-redis python3-click python3-werkzeug nginx-light mariadb-client)
  "$lab/standin/make-bench" root/home/frappe/frappe-bench
  layer_of_dir root bench.tar 1000:1000
  mkdir -p programs/usr/local/bin programs/opt/standin
  install -m 755 "$lab"/standin/image/{configure,start,nginx-entrypoint,nexus-web,make-master} programs/opt/standin
  install -m 644 "$lab/standin/image/nginx.conf.template" programs/opt/standin
  install -m 755 "$lab/standin/image/bench" programs/usr/local/bin
  layer_of_dir programs programs.tar
  pack "$base" bench.tar programs.tar --user 1000 --workdir /home/frappe/frappe-bench --env LANG=C.UTF-8 --env HOME=/home/frappe \
    --env TENANT_OPERATOR_LAB=stand-in-for-frappe -- /opt/standin/start
}
