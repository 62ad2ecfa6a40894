export default defineEventHandler(async (event) => {
  const id = getRouterParam(event, 'id')
  if (id === '500') throw new Error('boom')
  if (id === '250') await new Promise((resolve) => setTimeout(resolve, 250))
  if (id === '999') await new Promise(() => {}) // no answer
  return { id }
})
