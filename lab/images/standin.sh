# shellcheck shell=bash
# The stand-in for a bench: Debian's Python, gunicorn and nginx, and lab/standin laid out as in frappe_docker's image.
inputs=("$lab/standin/apps" "$lab/standin/image" "$lab/standin/make-bench")
recipe() {
  local base
  # The client's other tools, and the Perl that some of them want, are half of the image.
  base=$(rootfs_with --run 'useradd -u 1000 -m -s /bin/bash frappe' \
    --run 'rm -rf /usr/share/perl /usr/lib/*/perl /var/cache/debconf/* /usr/bin/perror /usr/bin/replace' \
    --run 'ls /usr/bin/mariadb-* | grep -v "/mariadb-dump$" | xargs rm' \
    --run 'rm -f /usr/bin/my_print_defaults /usr/bin/resolve_stack_dump' \
    python3 gunicorn python3-pymysql python3-cryptography python3-redis python3-click python3-werkzeug nginx-light mariadb-client tzdata)
  "$lab/standin/make-bench" root/home/frappe/frappe-bench
  # Compiled here, not in each new container; layer_of_dir would leave that out.
  /usr/bin/python3 -m compileall -q --invalidation-mode unchecked-hash -s "$PWD/root" root/home/frappe/frappe-bench/apps
  tar -C root --sort=name --mtime=@0 --numeric-owner --owner=1000 --group=1000 -cf bench.tar .
  mkdir -p programs/usr/local/bin programs/opt/standin
  install -m 755 "$lab"/standin/image/{configure,start,nginx-entrypoint,nexus-web,make-master} programs/opt/standin
  install -m 644 "$lab/standin/image/nginx.conf.template" programs/opt/standin
  install -m 755 "$lab/standin/image/bench" programs/usr/local/bin
  layer_of_dir programs programs.tar
  pack "$base" bench.tar programs.tar --user 1000 --workdir /home/frappe/frappe-bench --env LANG=C.UTF-8 --env HOME=/home/frappe \
    --env TENANT_OPERATOR_LAB=stand-in-for-frappe -- /opt/standin/start
}
