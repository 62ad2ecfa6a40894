export async function GET (request, { params }) {
  const { id } = await params
  if (id === 'fail') throw new Error('boom')
  return Response.json({ id })
}
