export default function Home() {
  return <p>Orders</p>;
}
