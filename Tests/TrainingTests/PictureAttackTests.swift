import Testing
import Torch

@testable import Training

@Suite("Adversarial pictures")
struct PictureAttackTests {
  /// Pictures are taken for something by the light of their left half.
  private func loss(_ x: Tensor) -> Tensor { x.narrowed(3, 0, 4).sum() }

  private func norms(_ change: Tensor) -> [Float] {
    (change * change).sum(over: [1, 2, 3]).sqrt().floats()
  }

  @Test("a change climbs the loss as far as its radius lets it, and stays within it and within 0…1")
  func climbs() {
    let x = RandomStream(seed: 1, "x").uniform([5, 3, 8, 8]) * 0.5 + 0.25
    for steps in [1, 3] {
      let attack = PictureAttack(part: 1, radius: 0.5, growth: 0, steps: steps)
      let changed = attack.changed(x, radius: 0.5, RandomStream(seed: 2, "noise"), loss: loss)
      #expect(norms(changed - x).allSatisfy { $0 <= 0.5001 })
      #expect(changed.floats().allSatisfy { (0...1).contains($0) })
      #expect(!changed.requiresGrad)
      // The best change is one of all 96 values alike: the square root of their number times the radius.
      let risen = (loss(changed) - loss(x)).item() / 5
      #expect(risen > 0.7 * 0.5 * 96.0.squareRoot() && risen <= 0.5 * 96.0.squareRoot() + 1e-3)
    }
  }

  @Test("without steps it is noise of many sizes, and a radius of nothing changes nothing")
  func noise() {
    let x = Tensor.full([64, 3, 8, 8], 0.5)
    let attack = PictureAttack(part: 1, radius: 1, growth: 10, steps: 0)
    let sizes = norms(attack.changed(x, radius: 1, RandomStream(seed: 3, "n"), loss: loss) - x)
    #expect(sizes.contains { $0 < 0.3 } && sizes.contains { $0 > 0.7 })
    let still = attack.changed(x, radius: 0, RandomStream(seed: 3, "n"), loss: loss)
    #expect((still - x).abs().sum().item() == 0)
    #expect([0, 4, 9, 50].map(attack.radius(at:)) == [0.1, 0.5, 1, 1])
  }

  @Test("latents have no range")
  func latents() {
    let z = Tensor.full([2, 3, 8, 8], 5)
    let attack = PictureAttack(part: 1, radius: 2, growth: 0, steps: 1)
    let changed = attack.changed(
      z, radius: 2, range: nil, RandomStream(seed: 4, "n"), loss: loss)
    #expect(norms(changed - z).allSatisfy { $0 > 1 && $0 <= 2.0001 })
  }

  @Test(
    "numbers beyond reason are refused",
    arguments: [
      PictureAttack(part: 2, radius: 1, growth: 0, steps: 1),
      PictureAttack(part: 0.5, radius: -1, growth: 0, steps: 1),
      PictureAttack(part: 0.5, radius: .nan, growth: 0, steps: 1),
      PictureAttack(part: 0.5, radius: 1, growth: -1, steps: 1),
      PictureAttack(part: 0.5, radius: 1, growth: 0, steps: 100),
    ])
  func refused(attack: PictureAttack) { #expect(attack.problem != nil) }
}
