import js from '@eslint/js'
import globals from 'globals'

export default [
  { ignores: ['**/node_modules/', '**/.next/', '**/.output/', '**/.nuxt/'] },
  js.configs.recommended,
  {
    files: ['**/*.js', '**/*.cjs'],
    languageOptions: { ecmaVersion: 2021, sourceType: 'commonjs', globals: globals.node }
  },
  {
    files: ['**/*.mjs'],
    languageOptions: { ecmaVersion: 2022, sourceType: 'module', globals: globals.node }
  },
  {
    files: ['test/slow-frameworks/*-app/**/*.js', 'test/slow-frameworks/*-app/*.mjs'],
    ignores: ['**/next.config.js'],
    languageOptions: {
      ecmaVersion: 2022,
      sourceType: 'module',
      globals: { ...globals.node, defineEventHandler: 'readonly', defineNuxtConfig: 'readonly', getRouterParam: 'readonly' }
    }
  },
  {
    rules: {
      'no-unused-vars': ['error', { args: 'none' }],
      'no-var': 'error',
      'prefer-const': 'error',
      eqeqeq: 'error',
      'max-lines': ['error', 400],
      semi: ['error', 'never'],
      quotes: ['error', 'single', { avoidEscape: true, allowTemplateLiterals: true }],
      indent: ['error', 2, { SwitchCase: 1 }]
    }
  }
]
