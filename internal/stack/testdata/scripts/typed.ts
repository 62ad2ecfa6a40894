interface Item {
  price: number;
}

function total(items: Item[]): number {
  return items.reduce((sum, item) => sum + item.price.valueOf(), 0);
}

async function checkout(): Promise<number> {
  await null;
  return total([{} as Item]);
}

checkout().catch((err: Error) => console.log(err.stack));
