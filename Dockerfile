# The image of the broker. The first stage makes a wheel with the compiled core and installs it into an environment of
# its own; the second one has that environment and a Python, and nothing to build with.
#
#     docker build -t supersoniq .
#     docker run -d --name broker -p 5672:5672 -v supersoniq:/var/lib/supersoniq supersoniq
#
# BASE_IMAGE may be any Debian with Python 3.11 or newer and its venv module. What pip and apt need to know where you
# are (a mirror, a certificate) belongs into that image, or into --build-arg PIP_INDEX_URL and the like.
ARG BASE_IMAGE=python:3.13-slim

FROM ${BASE_IMAGE} AS build
ARG DEBIAN_FRONTEND=noninteractive PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
ARG PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_CERT
# Python's headers come with a Python that was built there; Debian's has them in a package.
RUN if ! echo '#include <Python.h>' | cc -fsyntax-only -x c \
        -I"$(python3 -c 'import sysconfig; print(sysconfig.get_path("include"))')" - 2>/dev/null; then \
        apt-get update -qq && apt-get install -qq --no-install-recommends gcc libc6-dev \
        $([ -e /usr/local/bin/python3 ] || echo python3-dev); \
    fi
RUN python3 -m venv /opt/build && python3 -m venv /opt/supersoniq
WORKDIR /source
COPY pyproject.toml setup.py README.md LICENSE ./
# An image that was built without a compiler would run, slowly; so it is not built then. SUPERSONIQ_COMPILED=
# SUPERSONIQ_PURE=1 make an interpreted one in a tenth of the time.
ARG SUPERSONIQ_COMPILED=1 SUPERSONIQ_PURE
COPY src src
RUN /opt/build/bin/pip wheel --quiet --no-deps --wheel-dir /wheels .
# The bytecode is written here: the file system may be read-only when the broker runs. pip has no work left then.
RUN /opt/supersoniq/bin/python -m pip install --quiet --compile /wheels/*.whl && \
    /opt/supersoniq/bin/python -m pip uninstall --quiet --yes pip setuptools
# rabbitmqctl, rabbitmq-diagnostics and the like, for scripts that `docker exec` them.
RUN /opt/supersoniq/bin/supersoniq ctl --install /opt/supersoniq/bin

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="SupersoniQ" \
      org.opencontainers.image.description="An AMQP 0-9-1 message broker: every RabbitMQ client works unchanged" \
      org.opencontainers.image.licenses="Apache-2.0"
# Group 0 owns the data, too: platforms that run containers under a random user keep that group.
RUN echo 'supersoniq:x:10001:0:SupersoniQ:/var/lib/supersoniq:/usr/sbin/nologin' >> /etc/passwd && \
    install -d -o 10001 -g 0 -m 0770 /var/lib/supersoniq
COPY --from=build /opt/supersoniq /opt/supersoniq
# As in RabbitMQ's image, the default user may come from other containers. Set a user of your own before
# strangers can reach the port.
ENV PATH=/opt/supersoniq/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SUPERSONIQ_DATA_DIR=/var/lib/supersoniq \
    SUPERSONIQ_HOST=0.0.0.0,:: \
    SUPERSONIQ_LOOPBACK_USERS=
USER 10001:0
# supersoniq.toml is read from here: mount a directory that has one.
WORKDIR /etc/supersoniq
VOLUME /var/lib/supersoniq
EXPOSE 5672 5671 15672 15692
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["supersoniq", "ping", "--count", "1"]
ENTRYPOINT ["supersoniq"]
CMD ["serve"]
