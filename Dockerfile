# The operator's image: one program on a small base, as a user without rights.
# Both bases can be exchanged; the first needs Rust and a C compiler, the second a glibc no older than the first's.
ARG BUILD_BASE=rust:1-slim-bookworm
ARG RUN_BASE=debian:bookworm-slim

FROM ${BUILD_BASE} AS build
WORKDIR /src
# The dependencies in a layer of their own: they change less often than the sources.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src && echo 'fn main() {}' > src/main.rs && touch src/lib.rs && cargo build --release --locked
COPY . .
# Cargo goes by the time of a file, and these may be older than the stand-ins above.
RUN touch src/main.rs src/lib.rs && cargo build --release --locked \
 && install -D "${CARGO_TARGET_DIR:-target}/release/tenant-operator" /out/usr/local/bin/tenant-operator \
 && install -D -m 0644 /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/ca-certificates.crt

FROM ${RUN_BASE}
LABEL org.opencontainers.image.title="tenant-operator" \
      org.opencontainers.image.description="Runs many ERPNext/Frappe tenants on Kubernetes, each declared by one object" \
      org.opencontainers.image.licenses="Apache-2.0"
# The certificates are for a Master site behind public TLS.
COPY --from=build /out/ /
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/tenant-operator"]
