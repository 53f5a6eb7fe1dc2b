# The default installation, without torch: about 590 MB of libraries and models.
FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE NOTICE ./
COPY qa ./qa
RUN python -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.11-slim
RUN useradd --create-home --uid 10001 qa \
 && mkdir /indexes && chown qa /indexes
COPY --from=build /opt/venv /opt/venv
# A number, because some hosts check that it is not root's and cannot look up names.
USER 10001
ENV PATH=/opt/venv/bin:$PATH QA_HOST=0.0.0.0 QA_INDEX_DIR=/indexes HF_HUB_OFFLINE=1
VOLUME /indexes
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["qa", "serve"]
