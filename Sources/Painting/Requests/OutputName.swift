import Foundation

/// Names of pictures: `{date}/{time}-{slug}-{seed}.png`, as `20260901/143052-a-red-fox-42.png`.
public struct OutputName: Sendable, Equatable {
  /// The folder of the day, `20260901`.
  public let folder: String
  /// The file without ending.
  public let stem: String

  /// - Parameters:
  ///   - prompt: gives the slug.
  ///   - seed: of the picture.
  ///   - date: gives day and time.
  ///   - zone: in which day and time are told.
  public init(prompt: String, seed: Int, date: Date, zone: TimeZone = .current) {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = zone
    let parts = calendar.dateComponents(
      [.year, .month, .day, .hour, .minute, .second], from: date)
    func digits(_ value: Int?, _ width: Int = 2) -> String {
      let text = String(value ?? 0)
      return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    folder = digits(parts.year, 4) + digits(parts.month) + digits(parts.day)
    let time = digits(parts.hour) + digits(parts.minute) + digits(parts.second)
    stem = "\(time)-\(Self.slug(prompt))-\(seed)"
  }

  /// The text in lower-case ASCII letters and digits with hyphens between words, at most 48 bytes;
  /// `picture` when nothing is left.
  public static func slug(_ text: String) -> String {
    let plain = String(text.prefix(400)).folding(
      options: [.diacriticInsensitive, .widthInsensitive], locale: nil
    ).lowercased()
    let words = plain.split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
    var slug = ""
    for word in words {
      let next = slug.isEmpty ? String(word.prefix(48)) : slug + "-" + word
      if next.utf8.count > 48 { break }
      slug = next
    }
    return slug.isEmpty ? "picture" : slug
  }
}
