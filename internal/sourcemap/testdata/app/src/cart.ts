interface Item {
  name: string;
  price?: { amount: number };
}

// 合计：价格之和
export function cartTotal(items: Item[]): number {
  return items.reduce((sum, item) => sum + priceOf(item), 0);
}

function priceOf(item: Item): number {
  const amount = item.price!.amount;
  return amount;
}
