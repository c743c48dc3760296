import TestSupport
import Testing

@testable import Torch

@Suite("Kernels of our own")
struct KernelTests {
  /// Everything that goes in, and what a gradient comes back along.
  struct Case {
    let x: Tensor, weight: Tensor, bias: Tensor, scale: Tensor, shift: Tensor, up: Tensor

    /// Of `[2, channels, 19, 23]`: several parts, the last of which is short.
    init(channels: Int, seed: UInt64 = 7) {
      let stream = RandomStream(seed: seed, "norm")
      let shape = [2, channels, 19, 23]
      x = stream.normal(shape) * 3 + 5
      (weight, bias) = (stream.normal([channels]), stream.normal([channels]))
      (scale, shift) = (stream.normal([2, channels, 1, 1]), stream.normal([2, channels, 1, 1]))
      up = stream.normal(shape)
    }
  }

  /// The result, and the gradients at x, weight, bias, scale and shift.
  static func run(
    _ each: Case, type: DType, modulated: Bool, then activation: Tensor.Activation,
    inOnePass: Bool
  ) -> [Tensor] {
    let x = each.x.to(type).to(inOnePass ? type : .float32)
      .contiguous(channelsLast: inOnePass).variable()
    let (weight, bias) = (each.weight.variable(), each.bias.variable())
    let (scale, shift) = (each.scale.variable(), each.shift.variable())
    var y: Tensor
    if inOnePass {
      y = x.groupNorm(
        8, weight, bias, modulation: modulated ? (scale, shift) : nil, then: activation)
    } else {
      y = x.groupNorm(8, weight, bias)
      if modulated { y = y * (scale + 1) + shift }
      switch activation {
      case .none: break
      case .silu: y = y.silu()
      case .relu: y = y.relu()
      }
    }
    let gradients = pullback(
      of: y, along: each.up.to(type).to(y.dtype), at: [x, weight, bias, scale, shift])
    return [y] + gradients
  }

  @Test(
    "group normalisation is what libtorch's operators are one after another, as are its gradients",
    arguments: [(Tensor.Activation.none, false), (.silu, false), (.silu, true), (.relu, true)],
    [(DType.float32, 4e-6), (.bfloat16, 8e-3)])
  func operators(what: (Tensor.Activation, Bool), type: (DType, Double)) {
    // Two tenths of a part; several parts of 102 pixels, of which 437 are no multiple.
    for channels in [16, 320] {
      let each = Case(channels: channels)
      func run(inOnePass: Bool) -> [Tensor] {
        Self.run(each, type: type.0, modulated: what.1, then: what.0, inOnePass: inOnePass)
      }
      for (found, expected) in zip(run(inOnePass: true), run(inOnePass: false)) {
        expectClose(
          found.to(.float32), expected, atol: type.1 * max(1, expected.abs().amax().item()))
      }
    }
  }

  @Test("group normalisation by operators: channels that are no multiple of sixteen, or lie first")
  func fallback() {
    let stream = RandomStream(seed: 3, "norm")
    for (channels, last) in [(24, true), (32, false)] {
      let x = stream.normal([1, channels, 5, 6]).contiguous(channelsLast: last)
      let y = x.groupNorm(8, then: .silu)
      expectClose(y, x.groupNorm(8).silu(), atol: 1e-6)
    }
  }

  @Test("group normalisation gives the same bits whatever the number of threads")
  func threads() {
    let before = Libtorch.threads
    defer { Libtorch.threads = before }
    let each = Case(channels: 320)
    func bits(threads: Int) -> [[Float]] {
      Libtorch.threads = threads
      return Self.run(each, type: .float32, modulated: true, then: .silu, inOnePass: true)
        .map { $0.floats() }
    }
    let alone = bits(threads: 1)
    for threads in [2, 5] { #expect(bits(threads: threads) == alone) }
  }

  @Test(
    "group normalisation keeps what is small beside the mean, and beside a pixel far from all others"
  )
  func farFromZero() {
    let stream = RandomStream(seed: 4, "norm")
    var far = [Float](repeating: 0, count: 37 * 29)
    far[0] = 3_000
    let outlier = Tensor(far, [1, 1, 37, 29])
    for x in [
      stream.normal([1, 64, 37, 29]) * 0.01 + 50, stream.normal([1, 64, 37, 29]) + outlier,
    ] {
      let y = x.contiguous(channelsLast: true).groupNorm(8)
      expectClose(y, x.to(.float64).groupNorm(8).to(.float32), atol: 1e-3)
    }
  }

  @Test("a value that is no number spoils its own group only")
  func notANumber() {
    var values = [Float](repeating: 0, count: 32 * 9)
    for i in values.indices { values[i] = Float(i % 7) }
    values[4 * 32 + 3] = .nan
    let x = Tensor(values).reshaped(1, 3, 3, 32).permuted(0, 3, 1, 2)
    let y = x.groupNorm(8, then: .silu)
    #expect(y.narrowed(1, 0, 4).floats().allSatisfy { $0.isNaN })
    #expect(y.narrowed(1, 4, 28).floats().allSatisfy { $0.isFinite })
  }

  @Test("parts and entries of a tensor give it the gradients that views of it would")
  func parts() {
    let x = RandomStream(seed: 5, "parts").normal([2, 6, 5])
    func gradient(_ body: (Tensor) -> Tensor) -> [Float] {
      let x = x.variable()
      return Torch.gradient(of: body(x).sum(), at: [x])[0].floats()
    }
    let entries = gradient { x in
      zip(x.unbound(over: 2), 1...).map { $0 * $0 * Double($1) }.reduce(Tensor(0), +)
    }
    #expect(entries == gradient { $0 * $0 * Tensor([1, 2, 3, 4, 5] as [Float]) })
    let halves = gradient { x in
      let halves = x.chunks(2, over: 1)
      return halves[0].square() + 2 * halves[1]
    }
    let expected = gradient { $0.narrowed(1, 0, 3).square() + 2 * $0.narrowed(1, 3, 3) }
    #expect(halves == expected)
  }

  @Test(
    "a convolution that does not learn has the gradient of one that does",
    arguments: [(1, 1, 1), (3, 1, 1), (3, 2, 1), (3, 1, 4), (4, 2, 2)], [DType.float32, .bfloat16])
  func frozen(shape: (kernel: Int, stride: Int, groups: Int), type: DType) {
    let stream = RandomStream(seed: 9, "convolution")
    let x = stream.normal([2, 8, 12, 10]).to(type).contiguous(channelsLast: true)
    let weight = stream.normal([16, 8 / shape.groups, shape.kernel, shape.kernel]).to(type)
    func gradient(learns: Bool) -> [Float] {
      let x = x.variable()
      let y = x.conv2d(
        learns ? weight.variable() : weight, stride: shape.stride, padding: 1, groups: shape.groups)
      return pullback(of: y, along: y.detached().cos(), at: [x])[0].to(.float32).floats()
    }
    #expect(gradient(learns: false) == gradient(learns: true))
  }

  /// Sizes that fill vectors and parts, and that do not.
  @Test(
    "QuickGELU is x sigmoid(1.702 x), and so is its gradient",
    arguments: [1, 16, 37, 1 << 15, 70_001], [(DType.float32, 1e-6), (.bfloat16, 1.6e-2)])
  func quickGELU(count: Int, type: (DType, Double)) {
    let stream = RandomStream(seed: 2, "gelu")
    let (values, up) = (stream.normal([count]) * 6, stream.normal([count]))
    func run(_ x: Tensor, _ up: Tensor, _ body: (Tensor) -> Tensor) -> [Tensor] {
      let x = x.variable()
      let y = body(x)
      return [y, pullback(of: y, along: up, at: [x])[0]]
    }
    let found = run(values.to(type.0), up.to(type.0)) { $0.quickGELU() }
    let expected = run(values.to(type.0).to(.float32), up.to(type.0).to(.float32)) {
      $0 * ($0 * 1.702).sigmoid()
    }
    for (found, expected) in zip(found, expected) {
      #expect(found.dtype == type.0)
      expectClose(
        found.to(.float32), expected, atol: type.1 * max(1, expected.abs().amax().item()))
    }
  }
}
