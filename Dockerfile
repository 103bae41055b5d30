# The server as an image: `docker build -t ringback .`, then `docker run` it with the settings of docs/configuration.md as
# variables. It starts node itself, so that a signal to stop reaches the server.
FROM node:26-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
COPY sdk/package.json sdk/
COPY server/package.json server/
RUN npm ci
COPY . .
RUN npm run build

FROM node:26-slim
WORKDIR /app
ENV NODE_ENV=production
COPY package.json package-lock.json ./
COPY sdk/package.json sdk/
COPY server/package.json server/
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force
COPY --from=build /build/sdk/dist sdk/dist
COPY --from=build /build/server/dist server/dist
COPY server/bin server/bin
COPY LICENSE ./
# The SQLite database; on PostgreSQL nothing is kept here.
RUN install -d -o node -g node -m 0700 /data
USER node
ENV RINGBACK_HOST=0.0.0.0 RINGBACK_PORT=7464 RINGBACK_DATA=/data
VOLUME /data
EXPOSE 7464
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.RINGBACK_PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Longer than RINGBACK_STOP_GRACE: `docker stop --time 30`.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "server/bin/ringback.js"]
CMD ["serve"]
