import { cartTotal } from './cart';

class Checkout {
  constructor(private readonly user: string) {}

  async payNow(): Promise<string> {
    await null;
    const total = cartTotal([{ name: 'a', price: { amount: 1 } }, { name: 'b' }]);
    return `${this.user}: ${total}`;
  }
}

new Checkout('li').payNow().catch((err: Error) => console.log(err.stack));
