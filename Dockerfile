# The image of Ancho: control plane and announcer, as `npm run image` makes it without an engine.
# Build the bundles first: npm ci && npm run build
FROM node:20-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
COPY capabilities/bgp/package.json capabilities/bgp/
RUN npm ci --omit=dev --omit=peer --no-audit --no-fund

FROM node:20-slim
# The announcer runs nft to hand running connections over when an address moves.
RUN apt-get update && apt-get install -y --no-install-recommends nftables && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=packages --chown=65532:65532 /app/node_modules node_modules
COPY --chown=65532:65532 dist/pepr-ancho.cjs dist/announcer.js dist/heartbeat-thread.js dist/packet-thread.js dist/bfd-thread.js dist/package.json dist/
# Pepr's own boot (npx pepr deploy) unpacks the module to /app as this user.
RUN chown 65532:65532 /app
ENTRYPOINT ["node"]
CMD ["/app/dist/announcer.js", "--help"]
