// SPDX-License-Identifier: GPL-2.0
// The page of ipcdemo report: what is drawn stays, its place along the time
// changes.  Elements carry moments (ns since the beginning of the picture) in
// data-a and data-b; a point has its number in data-i, too.
"use strict";
(() => {
	const svg = document.querySelector("svg.ipcdemo");
	const data = JSON.parse(document.getElementById("data").textContent);
	const scroller = document.getElementById("diagram");
	const times = data.times, span = Math.max(data.span, 1);
	const state = {steps: data.steps, zoom: 1};

	// The place of a moment among the points, which lie 1 apart.
	function rank(t) {
		let low = 0, high = times.length;
		while (low < high) {
			const mid = (low + high) >> 1;
			if (times[mid] <= t)
				low = mid + 1;
			else
				high = mid;
		}
		const before = low ? times[low - 1] : 0;
		const after = low < times.length ? times[low] : span;
		return low - 1 + (after > before ? (t - before) / (after - before) : 0);
	}
	function stepsWide() {
		return (times.length + 1) * data.step * state.zoom;
	}
	function timeWide() {
		return (scroller.clientWidth - data.gutter - 30) * state.zoom;
	}
	function width() {
		return Math.max(state.steps ? stepsWide() : timeWide(), 50);
	}
	function place(t, i) {
		const wide = width();
		if (!state.steps)
			return data.gutter + t / span * wide;
		const at = i === undefined ? rank(t) : i;
		return data.gutter + (at + 1) / (times.length + 1) * wide;
	}
	function moment(ns) {
		return data.from + span < 1e6 ? (ns / 1e3).toFixed(1) + " us" :
						(ns / 1e6).toFixed(3) + " ms";
	}
	function make(name, attributes, text) {
		const it = document.createElementNS("http://www.w3.org/2000/svg", name);
		for (const key in attributes)
			it.setAttribute(key, attributes[key]);
		if (text)
			it.textContent = text;
		return it;
	}
	function axis() {
		const group = svg.getElementById("axis"), ticks = [];
		group.replaceChildren();
		if (state.steps) {
			const every = Math.ceil(110 / data.step / state.zoom);
			for (let i = 0; i < times.length; i += every)
				ticks.push([place(times[i], i), times[i]]);
		} else {
			const rough = span * 120 / width();
			const power = 10 ** Math.floor(Math.log10(rough));
			const unit = [1, 2, 5, 10].find((n) => n * power >= rough) * power;
			for (let t = 0; t <= span; t += unit)
				ticks.push([place(t), t]);
		}
		for (const [x, t] of ticks) {
			group.append(make("line", {class: "tick", x1: x, x2: x,
						   y1: data.top, y2: data.bottom}));
			group.append(make("text", {class: "small", x: x + 3,
						   y: data.top - 4},
					  moment(t + data.from)));
		}
	}
	function draw() {
		const last = new Map();
		let named = 0;
		for (const it of svg.querySelectorAll("[data-a]")) {
			const a = +it.dataset.a, b = +it.dataset.b;
			if (it.classList.contains("e")) {
				const x = place(a, +it.dataset.i), y = +it.dataset.y;
				it.setAttribute("transform", `translate(${x} ${y})`);
				const before = last.get(y);
				const room = before === undefined || x - before >= 10.5;
				it.lastElementChild.style.display = room ? "" : "none";
				if (room)
					last.set(y, x);
				named += room;
			} else if (it.classList.contains("arrow")) {
				it.setAttribute("d", `M${place(a, +it.dataset.i)} ${it.dataset.y}` +
						`L${place(b)} ${it.dataset.z}`);
			} else {
				it.setAttribute("x", place(a));
				it.setAttribute("width", Math.max(place(b) - place(a), 0.5));
			}
		}
		for (const it of svg.querySelectorAll("path.fill")) {
			const bottom = +it.dataset.y, high = +it.dataset.h;
			let d = "", y = bottom;
			for (const step of it.dataset.fill.split(";")) {
				const [t, used] = step.split(",").map(Number), x = place(t);
				d += d ? `L${x} ${y}` : `M${x} ${bottom}`;
				y = bottom - used * high;
				d += `L${x} ${y}`;
			}
			it.setAttribute("d", d + `L${place(span)} ${y}V${bottom}Z`);
		}
		for (const it of svg.querySelectorAll(".wide"))
			it.setAttribute("width", data.gutter + width() + 20);
		svg.setAttribute("width", data.gutter + width() + 30);
		svg.removeAttribute("viewBox");
		axis();
		scrolled();
		for (const name of ["steps", "time"])
			document.getElementById(name).setAttribute("aria-pressed",
				String(state.steps === (name === "steps")));
		const drawn = svg.querySelectorAll(".e").length;
		const arrows = svg.querySelectorAll(".arrow[data-a]").length;
		document.getElementById("drawn").textContent =
			`points drawn: ${drawn} (with room for their names: ${named}); wake-ups: ${arrows}` +
			(named < drawn ? "; zoom in for more names, or hover" : "");
	}
	// Names stay where they can be seen.
	function scrolled() {
		svg.getElementById("names").setAttribute("transform",
			`translate(${scroller.scrollLeft} 0)`);
	}
	function zoom(factor) {
		const middle = scroller.clientWidth / 2;
		const at = (scroller.scrollLeft + middle - data.gutter) / width();
		state.zoom = Math.min(Math.max(state.zoom * factor, 0.02), 20000);
		draw();
		scroller.scrollLeft = at * width() - middle + data.gutter;
	}
	const actions = {
		steps: () => { state.steps = true; state.zoom = 1; draw(); },
		time: () => { state.steps = false; state.zoom = 1; draw(); },
		in: () => zoom(1.6),
		out: () => zoom(1 / 1.6),
		fit: () => {
			state.zoom = state.steps ? timeWide() / stepsWide() : 1;
			draw();
		},
	};
	for (const name in actions)
		document.getElementById(name).addEventListener("click", actions[name]);
	if (!data.single)
		document.getElementById("steps").disabled = true;
	scroller.addEventListener("scroll", scrolled);
	scroller.addEventListener("wheel", (event) => {
		if (!event.ctrlKey)
			return;
		event.preventDefault();
		zoom(event.deltaY < 0 ? 1.25 : 0.8);
	}, {passive: false});
	window.addEventListener("resize", draw);
	for (const word of location.hash.slice(1).split(","))
		if (word in actions)
			actions[word]();
	draw();
	document.body.dataset.ready = "yes";
})();
