import Torch

/// A network as a denoiser, told one thing, several, or nothing.
///
/// ```
/// output = outputₙ + Σ weightᵢ (outputᵢ - outputₙ)
/// ```
///
/// where `n` is what the network is told for nothing: classifier-free guidance (Ho & Salimans 2022) with
/// one condition, composition (Liu et al., "Compositional Visual Generation with Composable Diffusion
/// Models", 2022) with several, as `cfg_sample.py` of crowsonkb/v-diffusion-pytorch has it.
public struct NetworkDenoiser<Cond>: Denoiser {
  /// Outputs `[R B, …]` of `x` `[R B, …]`, `t` `[R B]` and a condition for each `B` rows.
  public typealias Network = (_ x: Tensor, _ t: Tensor, _ conds: [Cond]) throws -> Tensor

  private let prediction: Prediction
  private let rows: [(cond: Cond, weight: Double)]
  private let network: Network

  /// - Parameters:
  ///   - prediction: what the network's output stands for.
  ///   - conds: what it is told, and how strongly each is followed; 1 is as it was trained.
  ///   - null: what it is told for nothing.
  ///   - network: is asked once for all conditions that count.
  public init(
    _ prediction: Prediction, conds: [(cond: Cond, weight: Double)], null: Cond,
    network: @escaping Network
  ) {
    self.prediction = prediction
    self.network = network
    let rest = 1 - conds.map(\.weight).reduce(0, +)
    // A row that does not count need not be asked for.
    rows = ([(cond: null, weight: rest)] + conds).filter { abs($0.weight) > 1e-9 }
  }

  /// A network that is told nothing but the time.
  public init(
    _ prediction: Prediction, network: @escaping (_ x: Tensor, _ t: Tensor) throws -> Tensor
  ) where Cond == Void {
    self.init(prediction, conds: [], null: ()) { x, t, _ in try network(x, t) }
  }

  /// See `Denoiser`.
  public func callAsFunction(_ x: Tensor, at level: NoiseLevel) throws -> Denoised {
    let t = Tensor.full([rows.count * x.size(0)], level.t, device: x.device)
    let all = try network(concatenated(rows.map { _ in x }, over: 0), t, rows.map(\.cond))
    let outputs = all.chunks(rows.count, over: 0)
    let parts = zip(outputs, rows).map { $0 * $1.weight }
    var found = prediction(parts.dropFirst().reduce(parts[0], +), of: x, at: level)
    // Variances are not mixed: the last condition's counts, as in GLIDE and Karlo.
    found.variance = prediction.variance(outputs[rows.count - 1])
    return found
  }
}
