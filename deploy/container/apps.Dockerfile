# PM2 with the example apps, as a team has its own.

ARG REGISTRY_PREFIX=
FROM ${REGISTRY_PREFIX}node:22-bookworm-slim
ARG PM2_VERSION=7.0.4
RUN npm install --global --no-audit --no-fund "pm2@$PM2_VERSION" && npm cache clean --force
WORKDIR /apps
COPY --chown=node:node examples/ ./
RUN rm -rf demo && install -d -o node -g node -m 0700 /pm2
ENV PM2_HOME=/pm2 NODE_ENV=production
USER node
CMD ["pm2-runtime", "start", "ecosystem.config.js"]
