export default defineEventHandler((event) => {
  const id = getRouterParam(event, 'id')
  if (id === '500') throw new Error('boom')
  return { id }
})
