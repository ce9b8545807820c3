# Four containers from one recipe: `kiosk-demo` (what `make run` shows), `fleet` (the server), `front` (nginx before it),
# and `tests` (what `make test` needs). Nothing in them runs as root. image/README.md says how to build and use them.
#
#   docker build --target fleet -t yikatong-fleet:0.1.0 .
#
# BASE may be any Debian 12, e.g. a mirror's or one made by mmdebstrap.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS debian
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
ENV LANG=C.UTF-8 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# Always the same number, so that folders given to a container can be made for it.
RUN useradd --uid 10001 --user-group --create-home --shell /usr/sbin/nologin yikatong

# --- what compiles: stays behind ---------------------------------------------------------------------------------------

FROM debian AS fleet-libraries
# The versions of Debian's packages are those of BASE and its mirror; the Python ones have hashes.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY tools/lock.py tools/lock.py
COPY pyproject.toml requirements.lock ./
RUN python3 tools/lock.py fleet > fleet.lock \
    && python3 -m venv /opt/yikatong/venv \
    && /opt/yikatong/venv/bin/pip install --require-hashes --no-deps --only-binary :all: --no-compile -r fleet.lock

FROM fleet-libraries AS fleet-code
RUN python3 tools/lock.py demo > demo.lock && python3 -m venv /build/catalogs \
    && awk '/^[a-z]/ { keep = /^polib==/ } keep' demo.lock > polib.lock \
    && /build/catalogs/bin/pip install --require-hashes --no-deps -r polib.lock
COPY kiosk kiosk
COPY provisioning provisioning
RUN /build/catalogs/bin/python -m provisioning.fleet.l10n.build \
    && /build/catalogs/bin/python -m kiosk.l10n.build \
    && /opt/yikatong/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash \
       kiosk provisioning /opt/yikatong/venv/lib

# --- fleet: the server -------------------------------------------------------------------------------------------------

FROM debian AS fleet
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=fleet-libraries /opt/yikatong/venv /opt/yikatong/venv
COPY --from=fleet-code /build/kiosk /opt/yikatong/kiosk
COPY --from=fleet-code /build/provisioning /opt/yikatong/provisioning
COPY image/container/fleet.toml /etc/yikatong/fleet.toml
COPY image/container/fleet /usr/local/bin/fleet
COPY image/container/healthy /usr/local/bin/healthy
# home is private, public is what nginx gives out, front is where the two meet: socket and nginx's configuration. Whoever
# runs it says where they lie; a VOLUME here would keep them where nobody looks.
RUN install -d -o yikatong -g yikatong -m 0700 /var/lib/yikatong-fleet \
    && install -d -o yikatong -g yikatong -m 0755 /srv/yikatong /run/yikatong-front
WORKDIR /opt/yikatong
USER 10001:10001
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["healthy", "/run/yikatong-front/fleet.sock"]
ENTRYPOINT ["fleet"]
CMD ["serve"]

# --- front: nginx before the fleet -------------------------------------------------------------------------------------

FROM debian AS front
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends nginx-light \
    && rm -rf /var/lib/apt/lists/*
COPY image/container/front /usr/local/bin/front
USER 10001:10001
EXPOSE 8444 8445
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["test", "-s", "/run/yikatong-front/nginx.pid"]
ENTRYPOINT ["front"]

# --- kiosk-demo: a whole terminal in a browser -------------------------------------------------------------------------

FROM debian AS demo
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
COPY packages.txt /build/packages.txt
# The demo compiles its native counterparts when it starts, so the compiler stays. socat: see image/container/demo.
# hadolint ignore=DL3008
RUN apt-get update \
    && sed 's/#.*//' /build/packages.txt | xargs apt-get install -y --no-install-recommends socat \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY tools/lock.py tools/lock.py
COPY pyproject.toml requirements.lock ./
RUN python3 tools/lock.py demo > demo.lock && python3 tools/lock.py build-tools > build.lock \
    && python3 -m venv /opt/yikatong/venv \
    && /opt/yikatong/venv/bin/pip install --require-hashes --no-deps --no-compile -r build.lock \
    && /opt/yikatong/venv/bin/pip install --require-hashes --no-deps --no-compile --no-build-isolation -r demo.lock

FROM demo AS kiosk-demo
WORKDIR /opt/yikatong
COPY pyproject.toml ./
COPY drivers drivers
COPY kiosk kiosk
COPY offline_queue offline_queue
COPY provisioning provisioning
COPY screens screens
COPY simulators simulators
# Not editable: entry points of the drivers must be there, and the folder is not the user's to change.
RUN /opt/yikatong/venv/bin/python -m kiosk.l10n.build \
    && /opt/yikatong/venv/bin/python -m provisioning.fleet.l10n.build \
    && /opt/yikatong/venv/bin/pip install --no-deps --no-build-isolation --editable . \
    && /opt/yikatong/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash \
       drivers kiosk offline_queue provisioning screens simulators \
    && install -d -o yikatong -g yikatong -m 0700 /var/lib/yikatong-demo
COPY image/container/demo /usr/local/bin/demo
COPY image/container/healthy /usr/local/bin/healthy
USER 10001:10001
EXPOSE 8080
ENV PORT=8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s \
    CMD ["healthy", "http://127.0.0.1:$PORT/", "/var/lib/yikatong-demo/run/kiosk/ready"]
ENTRYPOINT ["demo"]
CMD ["--no-fleet"]

# --- tests: where `make test` runs -------------------------------------------------------------------------------------

FROM demo AS tests
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
COPY packages-test.txt /build/packages-test.txt
# hadolint ignore=DL3008
RUN apt-get update \
    && sed 's/#.*//' /build/packages-test.txt | xargs apt-get install -y --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/*
RUN install -d -o yikatong -g yikatong /opt/yikatong/house
USER 10001:10001
WORKDIR /opt/yikatong/house
COPY --chown=10001:10001 . .
RUN python3 tools/set_up.py --tests
CMD ["make", "test"]
