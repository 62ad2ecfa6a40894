'use strict'

// Metrics only: spans are neither sampled nor sent.
process.env.OTEL_TRACES_EXPORTER = 'none'
process.env.OTEL_LOGS_EXPORTER = 'none'
process.env.OTEL_METRICS_EXPORTER = 'console'
process.env.OTEL_METRIC_EXPORT_INTERVAL = '60000'
process.env.OTEL_LOG_LEVEL = 'none'
process.env.OTEL_NODE_RESOURCE_DETECTORS = 'none'
require('@opentelemetry/auto-instrumentations-node/register')
