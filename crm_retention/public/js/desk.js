// Frappe 16 opens what a sidebar links by address in a new tab; views of the desk belong into this one
document.addEventListener(
	"click",
	(event) => {
		const link = event.target.closest('.sidebar-items[data-title="Retention"] a[target="_blank"][href^="/desk/"]');
		if (link && !event.ctrlKey && !event.metaKey) link.removeAttribute("target");
	},
	true
);
