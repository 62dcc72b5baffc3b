# The bot with voice and charts: no tools, no tests, an ordinary user. Health: `parley health`, whatever the ports are.
# `make image` builds on the base by its digest, so that what was built can be named and built again.
ARG BASE=python:3.12-slim
FROM ${BASE} AS build
WORKDIR /build
COPY requirements.lock pyproject.toml manifest.yml README.md LICENSE NOTICE ./
COPY bot bot
COPY handlers handlers
COPY storage storage
RUN python -m venv /opt/parley \
 && /opt/parley/bin/pip install --no-cache-dir --require-hashes -r requirements.lock \
 && /opt/parley/bin/pip install --no-cache-dir --no-deps .

FROM ${BASE}
# Pages that are pictures are read by tesseract, in English; for another language add e.g. tesseract-ocr-deu.
ARG TESSERACT=tesseract-ocr
RUN apt-get update \
 && apt-get install -y --no-install-recommends ${TESSERACT} \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /data --create-home parley
COPY --from=build /opt/parley /opt/parley
USER parley
WORKDIR /data
VOLUME /data
ENV PATH=/opt/parley/bin:$PATH \
    PARLEY_DATABASE=sqlite:////data/parley.db \
    PARLEY_HOST=0.0.0.0 \
    PYTHONUNBUFFERED=1
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["parley", "health"]
ENTRYPOINT ["parley"]
CMD ["serve"]
