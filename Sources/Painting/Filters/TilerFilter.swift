import Torch

extension FilterKind {
  static let tiler = FilterKind("tiler", "makes a tile that fits itself on all sides") { context in
    TilerFilter(seed: context.seed)
  }
}

/// Shifts the picture around by chance in every iteration, so that what lies at its borders is judged
/// as often as the rest and becomes seamless (pixray's `tiler`).
struct TilerFilter: Filter {
  let seed: UInt64

  func callAsFunction(_ picture: Tensor, iteration: Int?) -> (picture: Tensor, loss: Tensor?) {
    guard let iteration else { return (picture, nil) }
    let stream = RandomStream(seed: seed, "tiler \(iteration)")
    return (picture.rolledAround([2, 3], stream), nil)
  }
}

extension Tensor {
  /// Shifted along the given dimensions by chance, what leaves at one end entering at the other.
  func rolledAround(_ dims: [Int], _ stream: RandomStream) -> Tensor {
    dims.reduce(self) { x, dim in
      x.rolled(stream.integers(below: x.size(dim), [1]).ints()[0], over: dim)
    }
  }
}
