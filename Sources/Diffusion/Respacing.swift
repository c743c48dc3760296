/// Which of a discrete schedule's timesteps a sampler stops at.
///
/// Follows `space_timesteps` of openai/guided-diffusion at 22e0df8 and openai/glide-text2im at 69b5307.
public enum Respacing: Sendable, Hashable {
  /// `ddimN`: so many, a whole number of timesteps apart (Song et al. 2021).
  case ddim(Int)
  /// `10,15,20`: so many in each of the equal sections, the cleanest first.
  case sections([Int])
  /// GLIDE's 27 for its upsampler, most of them where there is little noise.
  case fast27

  /// Reads `ddim50`, `fast27`, `250` or `10,10,3,2,2`.
  /// - Throws: `DiffusionError.respacing` when the text is none of these.
  public init(_ text: String) throws(DiffusionError) {
    if text == "fast27" {
      self = .fast27
    } else if text.hasPrefix("ddim"), let count = Int(text.dropFirst(4)), count > 0 {
      self = .ddim(count)
    } else {
      let counts = text.split(separator: ",", omittingEmptySubsequences: false).map {
        Int($0.drop { $0 == " " })
      }
      let known = counts.compactMap(\.self).filter { $0 >= 0 }
      guard known.count == counts.count, known.contains(where: { $0 > 0 }) else {
        throw .respacing(
          "'\(text)' does not say which timesteps to take; write for instance 'ddim50' (50, evenly "
            + "apart), '250', or '10,10,3,2,2' (so many of each fifth)")
      }
      self = .sections(known)
    }
  }

  /// The timesteps, rising.
  /// - Parameter count: of the schedule's timesteps.
  /// - Throws: `DiffusionError.respacing` when there are too few, or no stride gives so many.
  public func timesteps(of count: Int) throws(DiffusionError) -> [Int] {
    switch self {
    case .ddim(let wanted):
      let stride = (1..<max(count, 2)).first { (count + $0 - 1) / $0 == wanted }
      guard let stride else {
        throw .respacing(
          "no whole number of timesteps between steps gives 'ddim\(wanted)' of \(count) timesteps; "
            + "choose a number that divides \(count), or write '\(wanted)'")
      }
      return Array(Swift.stride(from: 0, to: count, by: stride))
    case .sections(let counts):
      let (size, extra) = count.quotientAndRemainder(dividingBy: counts.count)
      var (first, all): (Int, [Int]) = (0, [])
      for (index, wanted) in counts.enumerated() {
        let size = size + (index < extra ? 1 : 0)
        guard wanted <= size else {
          throw .respacing("\(wanted) steps do not fit into a section of \(size) timesteps")
        }
        let stride = wanted > 1 ? Double(size - 1) / Double(wanted - 1) : 1
        // The sum is kept, not a product: what it is rounded from must be Python's to the last bit.
        var place = 0.0
        for _ in 0..<wanted {
          all.append(first + Int(place.rounded(.toNearestOrEven)))
          place += stride
        }
        first += size
      }
      return all
    case .fast27:
      // The last timestep, almost all noise, makes DDIM's pictures worse.
      let all = try Self.sections([10, 10, 3, 2, 2]).timesteps(of: count)
      return all.dropLast() + [count - 3]
    }
  }
}

/// What cannot be sampled as it was asked for.
public enum DiffusionError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The timesteps cannot be chosen so.
  case respacing(String)

  /// One sentence for the user.
  public var description: String {
    switch self {
    case .respacing(let reason): "The steps cannot be taken: \(reason)."
    }
  }
}
