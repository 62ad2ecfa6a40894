export default function handler (req, res) {
  res.json({ id: req.query.id })
}
