export const dynamic = 'force-dynamic'

export default async function Page ({ params }) {
  return `post ${(await params).slug}`
}
