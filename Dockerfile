# One image for every process of the cluster; the command says which: see compose.yaml.
FROM python:3.13-slim-trixie AS build
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/holdfast
COPY requirements-runtime.lock ./
RUN /opt/holdfast/bin/pip install --no-cache-dir --require-hashes --no-deps \
        -r requirements-runtime.lock
COPY LICENSE README.md pyproject.toml ./
COPY src src
RUN /opt/holdfast/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim-trixie
COPY --from=build /opt/holdfast /opt/holdfast
ENV PATH=/opt/holdfast/bin:$PATH
RUN useradd --system --uid 10001 --no-create-home holdfast
USER 10001
EXPOSE 7001 7002 7003 7004 7005 7006 7009
# What it was built from, for holdfast_build_info: docker build --build-arg COMMIT=$(git rev-parse HEAD)
ARG COMMIT=""
ENV HOLDFAST_COMMIT=$COMMIT
ENTRYPOINT ["holdfast"]
CMD ["--help"]
