# docs/operating.md says how to run it.
FROM python:3.11-slim AS build
WORKDIR /src
RUN python -m venv /opt/pointsman
COPY requirements.lock ./
RUN /opt/pointsman/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY matchers ./matchers
COPY routers ./routers
COPY service ./service
RUN /opt/pointsman/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .

FROM python:3.11-slim
# What follows a rules repository: POINTSMAN_RULES_REPOSITORY. No versions are pinned: Debian keeps
# the newest of a release only, and that is the one with the fixes.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends git openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    && mkdir /data && chown 10001:10001 /data
COPY --from=build /opt/pointsman /opt/pointsman
COPY ownership_rules.yaml /etc/pointsman/ownership_rules.yaml
# HOST: beyond loopback the service refuses to start without POINTSMAN_INGEST_KEYS and
# POINTSMAN_ADMIN_TOKEN; neither has a default here.
ENV PATH=/opt/pointsman/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    POINTSMAN_DATABASE_URL=sqlite:////data/pointsman.db \
    POINTSMAN_RULES=/etc/pointsman/ownership_rules.yaml
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["python", "-c", "import os, urllib.request; port = os.environ.get('POINTSMAN_PORT') or os.environ['PORT']; urllib.request.urlopen('http://127.0.0.1:' + port + '/healthz', timeout=4)"]
CMD ["pointsman", "serve"]
