export function getServerSideProps ({ params }) {
  return { props: { name: params.name } }
}

export default function Page ({ name }) {
  return `old ${name}`
}
