export async function GET (request, { params }) {
  const { id } = await params
  if (id === 'fail') throw new Error('boom')
  if (id === 'late') await new Promise((resolve) => setTimeout(resolve, 250))
  if (id === 'slow') await new Promise(() => {})
  return Response.json({ id })
}
