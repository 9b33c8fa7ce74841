# The image of the numbered steps and of the Flask server (90-serve_model.py).
FROM python:3.13-slim

# One thread per process for the numeric libraries: replicas share the cores, not threads.
# A name that no DNS server answers, as a store's may be while it is away, is given up after 2 s and not after 10.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    RES_OPTIONS="timeout:1 attempts:2"

# The layers of both images: the packages that both import. Up to here api/Dockerfile has the same lines.
COPY images /opt/images
RUN python -m venv --without-pip /opt/venv \
    && /opt/images/install.sh /opt/images/requirements.lock

# Dependencies are in a layer below the code: a changed script does not install them again.
COPY requirements.lock /opt/images/steps.lock
RUN /opt/images/install.sh /opt/images/steps.lock

# The client of an object store, where models are in one (docker-compose.object-store.yaml).
ARG OBJECT_STORE=
RUN [ -z "$OBJECT_STORE" ] || /opt/images/install.sh /opt/images/object-store.lock

# What your own estimator needs, if there is custom/requirements.txt. Patterns may match nothing, as names may not.
COPY images/install.sh custo[m]/requirements.tx[t] /opt/images/custom/
RUN /opt/images/install.sh --custom /opt/images/custom/requirements.txt

# New volumes get the owner of these folders.
RUN mkdir /models /events && chown 10001:10001 /models /events
WORKDIR /app
COPY *.py ./
COPY mlstack ./mlstack
RUN python -m compileall -q /app

USER 10001:10001
EXPOSE 5000
CMD ["python", "90-serve_model.py"]
