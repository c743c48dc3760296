extension Request {
  /// The request with presets filled in where it is silent.
  ///
  /// Of two presets the later one counts, but their objectives and filters add up; one that is named
  /// again replaces the earlier one of its name. Fields that the method does not take are left out, so
  /// that one quality may serve all methods.
  /// - Parameter resolver: chooses the method where neither says one.
  /// - Throws: `PresetError.idle`, `RequestError` or `PaintingError`.
  public func with(_ presets: [Preset], _ resolver: Resolver) throws -> Request {
    guard !presets.isEmpty else { return self }
    let isLarge = try hasLargeCLIP(presets)
    let all = presets.map { $0.values(large: isLarge) }
    var request = self
    for preset in presets {
      if let template = try preset.prompt.map(PromptTemplate.init) {
        request.prompt = try template(request.prompt)
      }
    }
    var fields: [String: JSONValue] = [:]
    for values in all { fields.merge(values.fields, uniquingKeysWith: Self.joined) }

    // Method and size first: they decide what is possible.
    for name in ["method", "width", "height"] where request[name] == nil {
      if let value = fields[name] { try request.set(name, value) }
    }
    let choice = try resolver.choice(for: request)
    let method = choice.method
    for (preset, values) in zip(presets, all) {
      let says = values.fields.keys.contains { $0 != "method" && method.takes($0) }
      guard
        says || values.scale != nil
          || values.work != nil && Self.measures.contains(where: method.takes)
          || preset.prompt != nil
          || values.fields["method"] == .string(method.id.rawValue)
      else { throw PresetError.idle(preset.name, method: method.id) }
    }
    for (name, value) in fields where method.takes(name) {
      guard let given = self[name] else {
        try request.set(name, value)
        continue
      }
      if case .parts = Self.parameter(name)?.kind {
        try request.set(name, Self.joined(value, given))
      }
    }
    (request.method, request.model) = (method.id, choice.model)
    if let work = all.compactMap(\.work).last {
      for name in Self.measures where request[name] == nil {
        guard case .integer(let range) = Self.parameter(name)?.kind, method.takes(name),
          case .integer(let usual) = try resolver.usual(name, of: method, in: request)
        else { continue }
        // Views are looked at in every step: with the root of both the work is as wished.
        let factor = name == "cutouts" ? work.squareRoot() : work
        let count = Int((Double(usual) * factor).rounded())
        try request.set(name, .integer(min(range.upperBound, max(range.lowerBound, count))))
      }
    }
    if width == nil, height == nil, let scale = all.compactMap(\.scale).last {
      for name in ["width", "height"] {
        let usual = try resolver.usual(name, of: method, in: request)
        guard case .integer(let side) = request[name] ?? usual else { continue }
        try request.set(name, .integer(min(4096, max(16, Int((Double(side) * scale).rounded())))))
      }
    }
    return request
  }

  /// What a method's work is counted in.
  private static let measures = ["iterations", "cutouts", "candidates"]

  /// Whether it, or else one of the presets, names CLIPs beside the pack's own.
  public func hasLargeCLIP(_ presets: [Preset]) throws -> Bool {
    let named = presets.compactMap { $0.values.fields["clip"]?.text }.last
    return try (clip ?? named).map {
      try Perceptor.Choice.parse($0) != Perceptor.Choice.default
    } ?? false
  }

  /// Two values of one field: the later, but parts of other names stay.
  private static func joined(_ earlier: JSONValue, _ later: JSONValue) -> JSONValue {
    guard case .array(let before) = earlier, case .array(let now) = later else { return later }
    func name(_ value: JSONValue) -> JSONValue? {
      if case .object(let fields) = value { fields["name"] } else { nil }
    }
    let names = now.map(name)
    guard !names.contains(nil), !before.map(name).contains(nil) else { return later }
    return .array(before.filter { !names.contains(name($0)) } + now)
  }
}

extension Preset {
  /// What it asks for, with or without CLIPs that are named.
  func values(large isLarge: Bool) -> Values {
    guard isLarge else { return values }
    return Values(
      fields: values.fields.merging(large.fields) { $1 }, scale: large.scale ?? values.scale,
      work: large.work ?? values.work)
  }
}
