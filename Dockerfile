# The image of the numbered steps and of the Flask server (90-serve_model.py).
FROM python:3.13-slim AS build

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv --without-pip /opt/venv
COPY requirements.lock /tmp/requirements.lock
# Dependencies are in a layer below the code: a changed script does not install them again.
# Bytecode is compiled here because nothing can be written at run time; the packages' tests are left out.
RUN pip --python /opt/venv/bin/python install --no-compile --require-hashes -r /tmp/requirements.lock \
    && find /opt/venv -type d -name tests -path "*/site-packages/*" -prune -exec rm -rf {} + \
    && /opt/venv/bin/python -m compileall -q -j 0 /opt/venv/lib

FROM python:3.13-slim

# One thread per process for the numeric libraries: replicas share the cores, not threads.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    MPLCONFIGDIR=/tmp/matplotlib

# A new model volume gets this folder's owner.
RUN mkdir /models && chown 10001:10001 /models
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY *.py ./
COPY mlstack ./mlstack
# The list of fonts, which matplotlib would otherwise make for each report in about a second; mlstack/evaluation/report.py uses it.
RUN python -m compileall -q /app && MPLCONFIGDIR=/opt/matplotlib python -c "import matplotlib.font_manager"

USER 10001:10001
EXPOSE 5000
CMD ["python", "90-serve_model.py"]
