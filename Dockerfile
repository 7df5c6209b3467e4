# One image for web, worker and beat; docker-compose.yml sets their commands.

FROM node:24.11.1-slim AS browser
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund

FROM python:3.11.14-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements.txt
COPY --from=browser /app/node_modules ./node_modules
COPY . .
# collectstatic needs any SECRET_KEY; the real key comes from the environment at run time.
RUN SECRET_KEY=only-to-collect-files python manage.py collectstatic --no-input --verbosity 0 \
    && rm -r node_modules \
    && useradd --system --no-create-home coconut
USER coconut
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["gunicorn", "coconut.wsgi", "--config", "python:coconut.gunicorn_conf", "--bind", "0.0.0.0:8000"]
