# A machine with systemd on which the broker is installed as docs/how-to/systemd.md says: the environment that the
# image has in /opt/supersoniq is the one that `pip install .` makes there.
ARG BASE_IMAGE
ARG BROKER_IMAGE
FROM ${BROKER_IMAGE} AS broker
FROM ${BASE_IMAGE}
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends systemd
COPY --from=broker /opt/supersoniq /opt/supersoniq
COPY supersoniq.service /etc/systemd/system/
ENV container=docker
STOPSIGNAL SIGRTMIN+3
CMD ["/lib/systemd/systemd", "--system", "--log-target=console", "--show-status=no"]
