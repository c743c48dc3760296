import Models
import Torch

/// Fits codebooks to latents by k-means (Lloyd 1982), each to what the ones before it left over.
enum CodebookFitting {
  /// - Parameters:
  ///   - latents: `[M, D]` float32, more rows than entries.
  ///   - entries: codes of each codebook.
  ///   - levels: codebooks.
  ///   - rounds: of assignment and averaging.
  ///   - report: called after each round with level, round and the mean squared error left.
  /// - Returns: `levels` codebooks `[entries, D]`.
  static func fit(
    _ latents: Tensor, entries: Int, levels: Int, rounds: Int, seed: UInt64,
    report: (_ level: Int, _ round: Int, _ error: Double) -> Void
  ) -> [Tensor] {
    noGrad {
      var rest = latents
      return (0..<levels).map { level in
        let stream = RandomStream(seed: seed, "codebook \(level)")
        var codebook = sample(rest, entries, stream)
        for round in 0..<rounds {
          let nearest = assign(rest, codebook)
          report(level, round, (rest - codebook.indexSelect(0, nearest)).square().mean().item())
          codebook = means(rest, nearest, codebook, stream)
        }
        rest = rest - codebook.indexSelect(0, assign(rest, codebook))
        return codebook
      }
    }
  }

  private static func sample(_ rows: Tensor, _ count: Int, _ stream: RandomStream) -> Tensor {
    rows.indexSelect(0, stream.permutation(rows.size(0))[0..<count].to(rows.device))
  }

  /// Nearest entries, in blocks so that the table of distances stays small.
  private static func assign(_ rows: Tensor, _ codebook: Tensor) -> Tensor {
    let block = 16384
    let parts = stride(from: 0, to: rows.size(0), by: block).map { start in
      ResidualQuantizer.nearest(rows[start..<min(start + block, rows.size(0))], codebook)
    }
    return concatenated(parts, over: 0)
  }

  /// The mean of each entry's rows; entries without any move to random rows.
  private static func means(
    _ rows: Tensor, _ nearest: Tensor, _ codebook: Tensor, _ stream: RandomStream
  ) -> Tensor {
    let (count, width) = (codebook.size(0), codebook.size(1))
    let owners = nearest.ints()
    let values = rows.floats()
    var sums = [Double](repeating: 0, count: count * width)
    var members = [Int](repeating: 0, count: count)
    for (row, owner) in owners.enumerated() {
      members[owner] += 1
      for i in 0..<width { sums[owner * width + i] += Double(values[row * width + i]) }
    }
    let fresh = sample(rows, count, stream).floats()
    let means = sums.indices.map { i in
      let n = members[i / width]
      return n > 0 ? Float(sums[i] / Double(n)) : fresh[i]
    }
    return Tensor(means, [count, width]).to(rows.device)
  }
}
