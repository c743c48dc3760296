import CTorch

/// One layer of long short-term memory (Hochreiter & Schmidhuber 1997) that reads sequences in one
/// direction or in both, from a state of zeros.
///
/// Weights, with the keys of torch's `nn.LSTM`: `weight_ih_l0` `[4 H, D]`, `weight_hh_l0` `[4 H, H]`,
/// `bias_ih_l0`, `bias_hh_l0` `[4 H]`, and the same with `_reverse`; gates in the order input, forget, cell,
/// output.
public struct LSTM {
  private let weights: [Tensor]
  private let isBidirectional: Bool

  /// A layer at `p` from `inputs` features to `hidden` in each direction.
  public init(_ p: Parameters, _ inputs: Int, _ hidden: Int, bidirectional: Bool = true) {
    isBidirectional = bidirectional
    let bound = Initial.uniform(1 / Double(max(1, hidden)).squareRoot())
    weights = ["", "_reverse"].prefix(bidirectional ? 2 : 1).flatMap { direction in
      [
        p("weight_ih_l0" + direction, [4 * hidden, inputs], bound),
        p("weight_hh_l0" + direction, [4 * hidden, hidden], bound),
        p("bias_ih_l0" + direction, [4 * hidden], bound),
        p("bias_hh_l0" + direction, [4 * hidden], bound),
      ]
    }
  }

  /// Reads sequences.
  /// - Parameters:
  ///   - x: `[B, T, D]`
  ///   - lengths: how many of the T steps each sequence has, at least one; the backward direction begins
  ///     with its last.
  /// - Returns: what each step gave, `[B, T, directions * H]`, forward first and zeros behind the end, and
  ///   where each direction ended, `[directions, B, H]`.
  public func callAsFunction(_ x: Tensor, lengths: [Int]) -> (outputs: Tensor, last: Tensor) {
    precondition(lengths.count == x.size(0), "one length for each sequence")
    var last: ct_tensor?
    let outputs = make("lstm", [x]) {
      ct_lstm(
        x.handle, lengths.map(Int64.init), weights.map { $0.handle }, Int32(weights.count),
        isBidirectional, $0, &last)
    }
    guard let last else { preconditionFailure("lstm gave one tensor instead of two") }
    return (outputs, Tensor(handle: last))
  }
}
