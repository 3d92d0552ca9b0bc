# The actions as images without a shell or a library: a program, and the machine's certificate authorities. Those for GitHub
# and for registries are compiled in as well, but the clients for registries (oci-client 0.18) and for Sigstore set up a
# connection by the machine's first, and panic where there are none.
#
# `docker build .` makes one image with all of them, which `image: ../../Dockerfile` of each action.yml means; a release
# publishes one image for each (`--target tag`). Where nothing can be pulled, BUILDER and HELM_BUILDER are set to images
# made from what the machine has: scripts/images. Their tags can be moved, so `scripts/release images` looks up the digest
# that each has at that moment, builds in the image of that digest, and names it in a file of the release.
ARG BUILDER=docker.io/library/rust:1.95.0-bookworm
ARG HELM_BUILDER=docker.io/library/golang:1.26.8-bookworm

# Go compares every module with the public database of checksums (sum.golang.org), and the result depends on them alone.
FROM ${HELM_BUILDER} AS helm
ENV CGO_ENABLED=0 GOBIN=/out GOTOOLCHAIN=local
RUN go install -trimpath -ldflags="-s -w -buildid=" helm.sh/helm/v4/cmd/helm@v4.3.1

FROM ${BUILDER} AS build
WORKDIR /chartflow
# Nothing of the machine enters the programs: every path is fixed, and there is no time and no debugging information.
ENV CARGO_TARGET_DIR=/target CARGO_INCREMENTAL=0 SOURCE_DATE_EPOCH=0 \
    RUSTFLAGS="-C target-feature=+crt-static -C force-unwind-tables=no"
COPY Cargo.toml Cargo.lock ./
COPY core/Cargo.toml core/
COPY cli/Cargo.toml cli/
COPY sandbox/Cargo.toml sandbox/
COPY tests/Cargo.toml tests/
COPY examples/library/Cargo.toml examples/library/
COPY actions/attest/Cargo.toml actions/attest/
COPY actions/bump/Cargo.toml actions/bump/
COPY actions/detect/Cargo.toml actions/detect/
COPY actions/enforce/Cargo.toml actions/enforce/
COPY actions/filter/Cargo.toml actions/filter/
COPY actions/format/Cargo.toml actions/format/
COPY actions/package/Cargo.toml actions/package/
COPY actions/publish/Cargo.toml actions/publish/
COPY actions/reconcile/Cargo.toml actions/reconcile/
COPY actions/rulesets/Cargo.toml actions/rulesets/
COPY actions/tag/Cargo.toml actions/tag/
COPY actions/validate/Cargo.toml actions/validate/
COPY actions/verify/Cargo.toml actions/verify/
# First what the library needs, because that is kept between builds; our own packages have to be there, and are empty.
# With a target named, RUSTFLAGS hold for the programs and not for what runs while they are built.
RUN for package in core cli sandbox tests examples/library actions/*; do \
      mkdir $package/src && echo 'fn main() {}' > $package/src/main.rs && touch $package/src/lib.rs || exit 1; \
    done \
 && rustc -vV | sed -n 's/^host: //p' > /host \
 && cargo build --locked --profile image --target "$(cat /host)" -p chartflow-core --lib --all-features
COPY core/src core/src
COPY actions actions
# What was copied may be older than what was built from the empty files.
RUN rm core/src/main.rs && touch core/src/lib.rs actions/*/src/main.rs && rm actions/*/src/lib.rs \
 && cargo build --locked --profile image --target "$(cat /host)" --bins --workspace \
    --exclude chartflow --exclude chartflow-sandbox --exclude chartflow-tests --exclude chartflow-example-library \
 && mkdir /out \
 && find "/target/$(cat /host)/image" -maxdepth 1 -type f -executable -exec cp {} /out/ \;

FROM scratch AS validate
COPY --from=helm /out/helm /usr/local/bin/helm
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/validate /validate
ENTRYPOINT ["/validate"]

FROM scratch AS filter
COPY --from=helm /out/helm /usr/local/bin/helm
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/filter /filter
ENTRYPOINT ["/filter"]

FROM scratch AS enforce
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/enforce /enforce
ENTRYPOINT ["/enforce"]

FROM scratch AS format
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/format /format
ENTRYPOINT ["/format"]

FROM scratch AS bump
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/bump /bump
ENTRYPOINT ["/bump"]

FROM scratch AS tag
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/tag /tag
ENTRYPOINT ["/tag"]

FROM scratch AS package
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/package /package
ENTRYPOINT ["/package"]

FROM scratch AS publish
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/publish /publish
ENTRYPOINT ["/publish"]

FROM scratch AS detect
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/detect /detect
ENTRYPOINT ["/detect"]

FROM scratch AS attest
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/attest /attest
ENTRYPOINT ["/attest"]

FROM scratch AS verify
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/verify /verify
ENTRYPOINT ["/verify"]

FROM scratch AS rulesets
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/rulesets /rulesets
ENTRYPOINT ["/rulesets"]

FROM scratch AS reconcile
COPY --from=helm /out/helm /usr/local/bin/helm
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/reconcile /reconcile
ENTRYPOINT ["/reconcile"]

# All of them; an action.yml names its entry point.
FROM scratch
COPY --from=helm /out/helm /usr/local/bin/helm
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/ /
