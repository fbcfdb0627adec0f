# Prometheus from Debian's packages, for engines that cannot pull its own image.
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends prometheus
RUN install -d -o prometheus /prometheus
USER prometheus
ENTRYPOINT ["prometheus"]
